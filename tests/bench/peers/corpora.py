"""The corpora, made the same for every filter: what receivers and collectors left is taken out, once, before anybody reads."""

import hashlib
import io
import subprocess
import tarfile
from pathlib import Path

# As `is_mark` in src/features/view.rs; leaky_headers.txt next to the corpora may add to it.
NAMES = set(
    b"x-gatepost x-uuid x-miltered x-keywords delivery-date x-pyzor x-loop old-return-path status x-status content-length "
    b"lines delivered-to x-original-to x-incomingtopheadermarker x-incomingheadercount x-sid-result x-sid-pra x-sender-ip "
    b"x-message-info x-message-delivery envelope-to".split()
)
PREFIXES = tuple(
    b"x-spam- x-virus- x-barracuda- x-asg- resent- x-ms- x-microsoft-antispam x-forefront- x-eop".split()
)
# What the collectors put in the place of names.
REPLACEMENTS = ((b"phishing@pot", b"user@example.com"), (b"[removed]", b""))


class Mask:
    """Takes the marks out of messages."""

    def __init__(self, corpora, keep_session):
        """`keep_session`: leave the Received line and the Return-Path of the receiving server, which tell of the session."""
        self.keep_session = keep_session
        self.names = set(NAMES)
        self.prefixes = PREFIXES
        listed = Path(corpora) / "leaky_headers.txt"
        if listed.is_file():
            for line in listed.read_bytes().splitlines():
                name = line.split(b"#")[0].strip().lower()
                if name.endswith(b"*"):
                    self.prefixes += (name[:-1],)
                elif name:
                    self.names.add(name)

    def __call__(self, raw):
        """The mail as everybody gets it, with line feeds at the ends of its lines."""
        raw = raw.replace(b"\r\n", b"\n")
        if raw.startswith(b"From "):
            raw = raw.partition(b"\n")[2]
        head, blank, body = raw.partition(b"\n\n")
        if raw.startswith(b"\n"):
            head, blank, body = b"", b"", raw
        seen = set()
        kept = []
        keep = True
        for line in head.split(b"\n"):
            if not line.startswith((b" ", b"\t")):
                keep = self._keeps(line.partition(b":")[0].strip().lower(), seen)
            if keep:
                kept.append(line)
        out = b"\n".join(kept) + blank + body
        for mark, instead in REPLACEMENTS:
            out = out.replace(mark, instead)
        return out

    def _keeps(self, name, seen):
        first = name not in seen
        seen.add(name)
        if name == b"return-path":
            return first and self.keep_session
        if name == b"received":
            return not first or self.keep_session
        return name not in self.names and not name.startswith(self.prefixes)


def members(archive):
    """(path, bytes) of the messages in a published archive, in its order."""
    with subprocess.Popen(["zstd", "-dc", "--long=27", str(archive)], stdout=subprocess.PIPE) as zstd:
        with tarfile.open(fileobj=zstd.stdout, mode="r|") as tar:
            for member in tar:
                if member.isfile():
                    yield member.name, tar.extractfile(member).read()
        zstd.stdout.read()
    if zstd.returncode:
        raise OSError(f"zstd cannot read {archive}")


def masked_files(archive, mask, directory):
    """Writes the masked messages of an archive into a directory, each at its path; gives path and bytes of each."""
    for path, raw in members(archive):
        place = Path(directory) / path
        if ".." in place.parts:
            raise ValueError(f"{path} leads out of the directory")
        place.parent.mkdir(parents=True, exist_ok=True)
        raw = mask(raw)
        place.write_bytes(raw)
        yield path, raw


def masked_corpus(corpora, name, mask, directory):
    """Writes a masked corpus as files, and as NAME.tar.zst with NAME.tsv for `gatepost model eval`. Gives its parts:
    `train` and `test`, each a list of (path, whether spam) in the order of the archive."""
    rows = [line.split("\t") for line in (Path(corpora) / f"{name}.tsv").read_text().splitlines()]
    header, listed = rows[0], {cells[0]: cells for cells in rows[1:]}
    parts = {"train": [], "test": []}
    packed = Path(directory) / f"{name}.tar.zst"
    command = ["zstd", "-q", "-f", "-3", "-o", str(packed)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as zstd, open(Path(directory) / f"{name}.tsv", "w") as tsv:
        tsv.write("\t".join(header) + "\n")
        with tarfile.open(fileobj=zstd.stdin, mode="w|", format=tarfile.GNU_FORMAT) as tar:
            for path, raw in masked_files(Path(corpora) / f"{name}.tar.zst", mask, directory):
                cells = listed[path]
                for part in parts:
                    if f"split={part}" in cells[6].replace(";", " ").split():
                        parts[part].append((path, cells[1] == "spam"))
                tsv.write("\t".join(cells[:4] + [hashlib.sha256(raw).hexdigest(), str(len(raw))] + cells[6:]) + "\n")
                member = tarfile.TarInfo(path)
                member.size = len(raw)
                tar.addfile(member, io.BytesIO(raw))
    if zstd.returncode:
        raise OSError(f"zstd cannot write {packed}")
    return parts


def masked_stream(index, mask, directory, count):
    """Writes the first `count` messages of a stream, masked, as files next to an index. Gives the new index and the list of
    (path, whether spam) in the order of the stream."""
    lines = [line.split() for line in Path(index).read_text().splitlines() if line.strip()][:count]
    wanted = {path for _, path in lines}
    for path, _ in masked_files(Path(index).with_suffix(".tar.zst"), mask, directory):
        wanted.discard(path)
        if not wanted:
            break
    if wanted:
        raise ValueError(f"the archive lacks {len(wanted)} messages of {index}")
    new = Path(directory) / Path(index).name
    new.write_text("".join(f"{label} {path}\n" for label, path in lines))
    return new, [(path, label.lower() == "spam") for label, path in lines]
