//! Names and numbers of users and groups, from `/etc/passwd` and `/etc/group`: getpwnam(3) and
//! getgrnam(3) cannot be called without `unsafe`.
#![expect(
    clippy::disallowed_methods,
    reason = "reads /etc/passwd and /etc/group; an edge room may open files"
)]

const USERS: &str = "/etc/passwd";
const GROUPS: &str = "/etc/group";

/// A user and the groups it is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its name, or its number as it was given.
    pub name: String,
    /// Its number.
    pub user: u32,
    /// Its first group.
    pub group: u32,
    /// Its other groups.
    pub groups: Vec<u32>,
}

/// The account of that name or number; `None` where there is none.
pub fn account(name: &str) -> Option<Account> {
    find_account(&text(USERS), &text(GROUPS), name)
}

/// The name of a user, or its number where it has none.
pub(super) fn user_name(number: u32) -> String {
    find_name(&text(USERS), number)
}

/// The name of a group, or its number where it has none.
pub(super) fn group_name(number: u32) -> String {
    find_name(&text(GROUPS), number)
}

/// The number of a group, by name or as digits.
pub(super) fn group_number(group: &str) -> Option<u32> {
    group
        .parse()
        .ok()
        .or_else(|| find_group(&text(GROUPS), group))
}

fn text(path: &str) -> String {
    let bytes = std::fs::read(path).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Finds a group in the text of group(5): `name:password:number:members`.
fn find_group(table: &str, group: &str) -> Option<u32> {
    table.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        let number = fields.nth(1)?;
        (name == group).then(|| number.parse().ok())?
    })
}

/// Finds the name that goes with a number: it is the third field in both tables.
fn find_name(table: &str, number: u32) -> String {
    let wanted = number.to_string();
    let found = table.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == wanted).then(|| name.to_owned())
    });
    found.unwrap_or(wanted)
}

fn find_account(users: &str, groups: &str, wanted: &str) -> Option<Account> {
    let mut account = users.lines().find_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        let &[name, _, user, group, ..] = fields.as_slice() else {
            return None;
        };
        if name != wanted && user != wanted {
            return None;
        }
        Some(Account {
            name: name.to_owned(),
            user: user.parse().ok()?,
            group: group.parse().ok()?,
            groups: Vec::new(),
        })
    })?;
    for line in groups.lines() {
        let fields: Vec<&str> = line.split(':').collect();
        let &[_, _, number, members] = fields.as_slice() else {
            continue;
        };
        if members.split(',').any(|member| member == account.name) {
            account.groups.extend(number.parse::<u32>().ok());
        }
    }
    Some(account)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROUPS: &str = "root:x:0:\nbroken\npostfix:x:113:a,b\nodd:x:nan:\nmail:x:8:b,c\n";

    #[test]
    fn groups_are_found_by_name() {
        for (name, number) in [
            ("root", Some(0)),
            ("postfix", Some(113)),
            ("odd", None),
            ("broken", None),
            ("post", None),
        ] {
            assert_eq!(find_group(GROUPS, name), number, "{name}");
        }
        assert_eq!(find_name(GROUPS, 113), "postfix");
        assert_eq!(find_name(GROUPS, 114), "114");
    }

    #[test]
    fn an_account_has_all_its_groups() {
        let users = "root:x:0:0::/root:/bin/sh\nbroken\nb:x:102:105::/:/bin/false\nodd:x:y:1::/:\n";
        let found = find_account(users, GROUPS, "b").unwrap();
        let expected = Account {
            name: "b".to_owned(),
            user: 102,
            group: 105,
            groups: vec![113, 8],
        };
        assert_eq!(found, expected);
        assert_eq!(find_account(users, GROUPS, "102"), Some(expected));
        assert_eq!(find_account(users, GROUPS, "odd"), None);
        assert_eq!(find_account(users, GROUPS, "x"), None);
    }
}
