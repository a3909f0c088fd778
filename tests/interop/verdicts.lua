-- Each verdict once, and what goes with it. Run: miltertest -s verdicts.lua -D socket=unix:/path/to/milter.sock
-- The daemon knows the rules TEST_HOLD and TEST_REFUSE_HEADER of daemon.rs and refuses refused@example.com.

local function begin(name)
  local conn = mt.connect(socket, 20, 0.1)
  if conn == nil then error(name .. ": no connection to " .. socket) end
  if mt.conninfo(conn, "client.example.net", "192.0.2.10") ~= nil then error(name .. ": conninfo") end
  if mt.getreply(conn) ~= SMFIR_CONTINUE then error(name .. ": reply to conninfo") end
  if mt.helo(conn, "client.example.net") ~= nil then error(name .. ": helo") end
  if mt.getreply(conn) ~= SMFIR_CONTINUE then error(name .. ": reply to helo") end
  return conn
end

local function envelope(conn, name)
  mt.macro(conn, SMFIC_MAIL, "i", "4test" .. name)
  if mt.mailfrom(conn, "<anna@example.net>") ~= nil then error(name .. ": mailfrom") end
  if mt.getreply(conn) ~= SMFIR_CONTINUE then error(name .. ": reply to mailfrom") end
  if mt.rcptto(conn, "<ben@example.com>") ~= nil then error(name .. ": rcptto") end
  if mt.getreply(conn) ~= SMFIR_CONTINUE then error(name .. ": reply to rcptto") end
  if not mt.test_option(conn, SMFIP_NODATA) then
    if mt.data(conn) ~= nil then error(name .. ": data") end
    if mt.getreply(conn) ~= SMFIR_CONTINUE then error(name .. ": reply to data") end
  end
end

local function header(conn, name, field, value)
  if mt.header(conn, field, value) ~= nil then error(name .. ": header " .. field) end
end

local function fields(conn, name)
  header(conn, name, "From", "Anna <anna@example.net>")
  header(conn, name, "To", "Ben <ben@example.com>")
  header(conn, name, "Subject", "minutes " .. name)
  header(conn, name, "Date", "Mon, 23 Nov 2026 10:00:00 +0000")
  header(conn, name, "Message-ID", "<" .. name .. "@example.net>")
end

local function rest(conn, name, text)
  if mt.eoh(conn) ~= nil then error(name .. ": eoh") end
  if mt.getreply(conn) ~= SMFIR_CONTINUE then error(name .. ": reply to eoh") end
  if mt.bodystring(conn, text) ~= nil then error(name .. ": body") end
  if mt.eom(conn) ~= nil then error(name .. ": eom") end
end

local function accepted(conn)
  local reply = mt.getreply(conn)
  return reply == SMFIR_ACCEPT or reply == SMFIR_CONTINUE
end

-- Accept: our headers in, forged ones out, nothing else touched.
local conn = begin("accept")
if not mt.test_action(conn, SMFIF_ADDHDRS) then error("ADDHDRS was not asked for") end
if not mt.test_action(conn, SMFIF_CHGHDRS) then error("CHGHDRS was not asked for") end
if not mt.test_action(conn, SMFIF_QUARANTINE) then error("QUARANTINE was not asked for") end
envelope(conn, "accept")
fields(conn, "accept")
header(conn, "accept", "X-Spam-Flag", "NO")
header(conn, "accept", "X-Gatepost", "accept forged")
rest(conn, "accept", "Hello Ben,\r\n\r\nthe minutes are on the shelf.\r\n")
if not accepted(conn) then error("accept: " .. mt.getreply(conn)) end
if not mt.eom_check(conn, MT_HDRINSERT, "X-Gatepost") and not mt.eom_check(conn, MT_HDRADD, "X-Gatepost") then
  error("accept: no X-Gatepost")
end
if not mt.eom_check(conn, MT_HDRDELETE, "X-Spam-Flag") and not mt.eom_check(conn, MT_HDRCHANGE, "X-Spam-Flag") then
  error("accept: the forged X-Spam-Flag stays")
end
if mt.eom_check(conn, MT_QUARANTINE) then error("accept: quarantined") end
if mt.eom_check(conn, MT_BODYCHANGE) then error("accept: the body was replaced") end
mt.disconnect(conn)

-- Quarantine.
conn = begin("hold")
envelope(conn, "hold")
fields(conn, "hold")
rest(conn, "hold", "Hello Ben,\r\n\r\ngatepost-test-hold-me\r\n")
if not accepted(conn) then error("hold: " .. mt.getreply(conn)) end
if not mt.eom_check(conn, MT_QUARANTINE) then error("hold: not quarantined") end
mt.disconnect(conn)

-- Reject at the end of the message. (The code and text of the reply are checked behind Postfix: this miltertest does not keep them.)
conn = begin("gtube")
envelope(conn, "gtube")
fields(conn, "gtube")
rest(conn, "gtube", "XJS*C4JDBQADN1.NSBN3*2IDNEN*" .. "GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X\r\n")
if mt.getreply(conn) ~= SMFIR_REPLYCODE then error("gtube: " .. mt.getreply(conn)) end
if mt.eom_check(conn, MT_HDRINSERT) or mt.eom_check(conn, MT_HDRADD) then error("gtube: actions next to a reject") end
mt.disconnect(conn)

-- Reject at the end of the header: the body is never asked for.
conn = begin("header")
envelope(conn, "header")
fields(conn, "header")
header(conn, "header", "X-Test-Refuse-Header", "yes")
if mt.eoh(conn) ~= nil then error("header: eoh") end
if mt.getreply(conn) ~= SMFIR_REPLYCODE then error("header: " .. mt.getreply(conn)) end
mt.disconnect(conn, false)

-- A refused recipient does not refuse the others.
conn = begin("recipient")
mt.mailfrom(conn, "<anna@example.net>")
if mt.getreply(conn) ~= SMFIR_CONTINUE then error("recipient: reply to mailfrom") end
mt.rcptto(conn, "<refused@example.com>")
if mt.getreply(conn) ~= SMFIR_REPLYCODE then error("recipient: not refused") end
mt.rcptto(conn, "<ben@example.com>")
if mt.getreply(conn) ~= SMFIR_CONTINUE then error("recipient: the other one is refused too") end
mt.disconnect(conn, false)

mt.echo("script done")
