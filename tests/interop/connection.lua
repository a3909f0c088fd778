-- Several messages on one connection, broken-off ones between them: no answer may slip from one mail to the next.
-- Run: miltertest -s connection.lua -D socket=unix:/path/to/milter.sock

local conn = mt.connect(socket, 20, 0.1)
if conn == nil then error("no connection to " .. socket) end

local function expect(wanted, step)
  local reply = mt.getreply(conn)
  if reply ~= wanted then error(step .. ": " .. string.char(reply)) end
end

local function mail(name)
  mt.macro(conn, SMFIC_MAIL, "i", name)
  mt.mailfrom(conn, "<anna@example.net>")
  expect(SMFIR_CONTINUE, name .. " mailfrom")
  mt.rcptto(conn, "<ben@example.com>")
  expect(SMFIR_CONTINUE, name .. " rcptto")
  if not mt.test_option(conn, SMFIP_NODATA) then
    mt.data(conn)
    expect(SMFIR_CONTINUE, name .. " data")
  end
  mt.header(conn, "From", "anna@example.net")
  mt.header(conn, "Subject", "")
  mt.header(conn, "X-Bytes", "caf\233 \255\254")
end

local function finish(name, text, wanted)
  mt.eoh(conn)
  expect(SMFIR_CONTINUE, name .. " eoh")
  mt.bodystring(conn, text)
  mt.eom(conn)
  local reply = mt.getreply(conn)
  if wanted == SMFIR_ACCEPT and reply == SMFIR_CONTINUE then return end
  if reply ~= wanted then error(name .. " eom: " .. string.char(reply)) end
end

local gtube = "XJS*C4JDBQADN1.NSBN3*2IDNEN*" .. "GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X\r\n"

mt.conninfo(conn, "client.example.net", "192.0.2.10")
expect(SMFIR_CONTINUE, "conninfo")
mt.helo(conn, "client.example.net")
expect(SMFIR_CONTINUE, "helo")
for round = 1, 3 do
  mail("gtube" .. round)
  finish("gtube" .. round, gtube, SMFIR_REPLYCODE)
  -- Postfix sends ABORT after every transaction; it is never answered.
  mt.abort(conn)
  mail("ham" .. round)
  finish("ham" .. round, "nothing special\r\n", SMFIR_ACCEPT)
  mt.abort(conn)
  -- Broken off in the header, with the test string in the part that was sent.
  mail("cut" .. round)
  mt.header(conn, "X-Test-Refuse-Header", "yes")
  mt.abort(conn)
  mail("next" .. round)
  finish("next" .. round, "the cut mail's header is not mine\r\n", SMFIR_ACCEPT)
  mt.abort(conn)
  -- Broken off in the body.
  mail("cutbody" .. round)
  mt.eoh(conn)
  expect(SMFIR_CONTINUE, "cutbody eoh")
  mt.bodystring(conn, gtube)
  mt.abort(conn)
  mail("after" .. round)
  finish("after" .. round, "the cut mail's body is not mine\r\n", SMFIR_ACCEPT)
  if mt.eom_check(conn, MT_QUARANTINE) then error("after: quarantined") end
  mt.abort(conn)
end
mt.disconnect(conn)

-- Gone without a word, at each stage: the next connection is served.
for stage = 1, 4 do
  conn = mt.connect(socket, 20, 0.1)
  if conn == nil then error("no connection after a hang-up") end
  mt.conninfo(conn, "client.example.net", "2001:db8::10")
  expect(SMFIR_CONTINUE, "conninfo after a hang-up")
  if stage > 1 then mt.helo(conn, "client.example.net") end
  if stage > 2 then mt.mailfrom(conn, "<>") end
  if stage > 3 then mail("gone") end
  mt.disconnect(conn, false)
end

mt.echo("script done")
