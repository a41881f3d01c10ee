"""A device's limits: buffers and heap, and what is counted of them."""
import json
import os
import select

from harness import DEADLINE, SCHEMA, cert, each, test

RSA = "server-rsa2048"
NAME = ("--server-hostname", "localhost")
ROWS = [("TLS 1.2", "1.2"), ("TLS 1.3", "1.3")]


@each(ROWS)
def a_chain_over_the_input_buffer(t, version):
    server = t.serve("--max-version", version, name=RSA)
    c = t.connect(server, "--max-in-record", "512").wait()
    t.bad(c, 51, "device", -0x7100, "the server's Certificate message is ",
          "the device's input buffer holds 512")
    t.has(c.err, "why: the chain is 657 bytes in 1 certificate: RSA 2048",
          "P-256 in place of RSA",
          "micropython: OSError(-28928, 'MBEDTLS_ERR_SSL_BAD_INPUT_DATA')")
    t.eq(c.report["findings"][0]["name"], "device-chain", "the finding")
    server.wait()


@each(ROWS)
def a_record_of_data_over_the_input_buffer(t, version):
    """What came before it is delivered."""
    server = t.serve("--chargen", "--max-version", version)
    c = t.connect(server, "--max-in-record", "4k").wait()
    t.bad(c, 51, "device", -0x7100, "a record of %d bytes, "
          "application_data" % (16384 - (version == "1.3")), "buffer holds 4096", out=c.out)
    t.has(c.err, "why: the peer's largest ", "max_fragment_length")
    t.eq(c.report["findings"][0]["name"], "device-record", "the finding")
    t.eq(c.report["stage"], "stream", "the stage")
    server.wait()


@test
def small_records_go_through_a_small_buffer(t):
    server = t.serve("--echo", "--max-out-record", "1k")
    data = bytes(range(256)) * 100
    c = t.connect(server, "--max-in-record", "1k", "--max-out-record", "512",
                  stdin=data).wait()
    t.ok(c, data)
    t.eq(c.report["handshake"]["in"]["largest_record"] < 1024 + 256, True,
         "the peer's records")
    s = server.wait()
    t.eq(s.report["handshake"]["in"]["largest_record"] <= 512 + 32, True,
         "ours")


@test
def a_chain_of_ours_over_the_output_buffer(t):
    server = t.serve("--max-out-record", "512", "--max-version", "1.2",
                     name=RSA)
    t.lost(t.connect(server).wait(), "handshake")
    t.bad(server.wait(), 51, "device", -0x6A00,
          "our Certificate message is 667 bytes; the device's output buffer "
          "holds 512")


@each(ROWS)
def the_heap_is_counted_step_by_step(t, version):
    server = t.serve("--max-version", version)
    c = t.connect(server, "-v", stdin=b"x").wait()
    t.eq(c.status, 0, "exit status")
    heap = c.report["heap"]
    names = [(s["direction"], s["message"]) for s in heap["steps"]]
    t.eq(names[:3], [(None, None), ("out", "ClientHello"),
                     ("in", "ServerHello")], "the steps")
    t.eq(("in", "Certificate") in names and ("in", "Finished") in names, True,
         "the others")
    t.eq(max(s["peak"] for s in heap["steps"]), heap["peak"], "the peak")
    t.eq(30000 < heap["now"] <= heap["peak"] < 100000, True, "figures")
    t.eq(400 < heap["context"] < 4000, True, "the context's")
    t.eq(heap["limit"], None, "the limit")
    t.has(c.err, "heap: peak %d bytes, " % heap["peak"],
          "mptls: largest record received: ", "mptls: largest record sent: ",
          ", ClientHello")
    s = server.wait().report["heap"]
    t.eq(s["context"] > heap["context"], True, "a key is in it, too")


@each([("a connection that fits", "100k", 0, "", ""),
       ("no room for the records", "30k", -0x7F00, "to make the connection",
        "OSError(12)"),
       ("no room for the chain", "39k", -0x2880, "after the server's ",
        "OSError(-10368, 'MBEDTLS_ERR_X509_ALLOC_FAILED')"),
       ("no room for the context", "1k", -0x10, "to load the CA",
        "OSError(16)")])
def a_heap_that_is_limited(t, limit, code, say, micropython):
    server = t.serve("--echo", "--keep-open")
    c = t.connect(server, "--heap-limit", limit, "--max-version", "1.2",
                  stdin=b"x").wait()
    if code == 0:
        t.ok(c, b"x")
        t.eq(c.report["heap"]["limit"], 102400, "the limit")
        return
    t.bad(c, 51, "device", code, "out of heap: ", say, " more are wanted")
    t.has(c.err, "micropython: " + micropython)
    t.eq([f["name"] for f in c.report["findings"][:1]],
         ["device-heap"] if c.report["stage"] != "setup" else [],
         "the finding")


@test
def record_buffers_are_as_small_as_the_devices(t):
    server = t.serve("--echo", "--keep-open")
    args = ("--max-version", "1.2")
    full = t.connect(server, *args, stdin=b"x").wait().report["heap"]
    small = t.connect(server, *args, "--max-in-record", "4k",
                      "--max-out-record", "2k", stdin=b"x").wait()
    t.ok(small, b"x")
    saved = full["peak"] - small.report["heap"]["peak"]
    t.eq(abs(saved - (12 + 14) * 1024) < 500, True, "saved %d" % saved)


@test
def an_allocation_that_fails_is_the_same_each_time(t):
    server = t.serve("--echo", "--keep-open")
    said = set()
    for _ in range(3):
        c = t.connect(server, "--heap-fail-at", "5", stdin=b"x").wait()
        t.eq((c.status, c.error["origin"]), (51, "device"), "how it ended")
        t.has(c.err, "allocation 5 was made to fail")
        said.add(c.error["text"])
    t.eq(len(said), 1, "messages: %s" % said)


@test
def a_server_with_a_small_heap_refuses_clients_one_by_one(t):
    server = t.serve("--echo", "--keep-open", "--heap-limit", "38k",
                     "--max-version", "1.2")
    for _ in range(2):
        t.lost(t.connect(server, stdin=b"x").wait(), "handshake")
    server.signal(2)
    s = server.wait()
    t.eq([(r["status"], r["error"]["origin"]) for r in s.reports[:2]],
         [(51, "device")] * 2, "how the clients ended")


@each([("512", 512), ("4096", 4096)])
def records_that_are_asked_to_be_small(t, size):
    data = bytes(range(256)) * 100
    server = t.serve("--reply", t.named(data), "--max-version", "1.2")
    c = t.connect(server, "--max-fragment-length", str(size),
                  "--max-in-record", "4k").wait()
    t.ok(c, data)
    t.eq(c.report["tls"]["max_fragment_length"], size, "what was agreed on")
    t.eq(c.report["handshake"]["in"]["largest_record"] <= max(size, 600) + 64,
         True, "the largest record")


@test
def a_profile_that_asks_for_small_records(t):
    server = t.serve("--echo", "--keep-open")
    mine = t.named(b"extensions server_name max_fragment_length\n"
                   b"max-in-record 3000\nverify none\n")
    c = t.connect(server, "--as", mine, stdin=b"x", ca=None).wait()
    t.eq(c.report["tls"]["max_fragment_length"], 2048, "what was agreed on")


@each([("below", "--max-in-record", "511"), ("above", "--max-in-record", "16385"),
       ("no size", "--max-out-record", "much"), ("none", "--heap-limit", "0"),
       ("between", "--max-fragment-length", "1000"),
       ("tiny", "--heap-limit", "1023"), ("no number", "--heap-fail-at", "0")])
def a_limit_that_is_none(t, option, value):
    t.usage(("connect", "127.0.0.1:1", option, value), "--" + option[2:], value,
            command="connect")


@test
def check_has_them_too(t):
    server = t.serve("--echo", "--keep-open", name=RSA)
    c = t.check(server, "--max-in-record", "512")
    t.bad(c, 51, "device", -0x7100, "the server's Certificate", out=c.out)
    t.has(c.out, b"verdict:", b"51 device-limit: the server's Certificate")


@test
def profiles_are_listed_and_shown(t):
    r = t.run("profiles")
    t.eq((r.status, r.err), (0, ""), "status and stderr")
    names = [line.split()[0] for line in r.out.decode().splitlines()]
    t.eq({"micropython-1.24", "micropython-rp2-1.24", "micropython-esp32",
          "micropython-esp8266", "esp-idf", "zephyr", "arduino-esp8266"}
         - set(names), set(), "those that are missing")
    shape = SCHEMA.shapes["Profiles of devices"]
    for name in names:
        text = t.ok(t.run("profiles", name), t.run("profiles", name).out)
        t.has(text.out.decode(), "\nsource ", "\n# What Mbed TLS ")
        event = json.loads(t.run("profiles", name, "--json").out)
        t.eq(shape.differences(event, name), [], "the JSON's shape")
        t.eq(event["name"], name, "the name")
        t.eq(len(event["sources"]) > 0, True, "a source")
    lines = t.run("profiles", "--json").out.decode().splitlines()
    t.eq([json.loads(x)["name"] for x in lines], names, "all in JSON")


@test
def what_cannot_be_played_is_told(t):
    r = t.run("profiles", "micropython-esp8266").out.decode()
    t.has(r, "# its hello lacks versions: TLSv1.1 TLSv1.0\n",
          "# not played: the limit on a record")
    r = t.run("profiles", "arduino-esp8266").out.decode()
    t.has(r, "TLS_RSA_WITH_3DES_EDE_CBC_SHA")
    e = json.loads(t.run("profiles", "micropython-1.24", "--json").out)
    t.eq([e["lacks"][k] for k in e["lacks"]], [[]] * 5, "lacks")


@test
def a_profile_as_printed_is_one(t):
    text = t.run("profiles", "esp-idf").out
    mine = t.named(text)
    again = t.run("profiles", mine)
    t.ok(again, again.out)
    ciphers = t.run("ciphers", "--as", "esp-idf").out
    t.eq(t.run("ciphers", "--as", mine).out, ciphers, "its suites")
    t.eq(ciphers.split()[0], b"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
         "the first")


@test
def ciphers_of_a_device(t):
    r = t.run("ciphers", "--as", "micropython-esp8266")
    t.ok(r, b"TLS_RSA_WITH_AES_128_CBC_SHA\nTLS_RSA_WITH_AES_128_CBC_SHA256\n"
         b"TLS_RSA_WITH_AES_256_CBC_SHA\nTLS_RSA_WITH_AES_256_CBC_SHA256\n")


@each([("no such name", "micropyton-1.24", 2, "usage",
        "there is no profile 'micropyton-1.24', nor a file; did you mean "
        "micropython-1.24?"),
       ("no such file", "./none.profile", 3, "file", "none.profile"),
       ("empty", "", 2, "usage", "there is no profile ''")])
def an_unknown_device(t, name, status, origin, say):
    for words in (("connect", "127.0.0.1:1"), ("check", "127.0.0.1:1"),
                  ("verify", cert("root.pem")), ("ciphers",)):
        r = t.run(*words, "--as", name)
        t.eq(r.status, status, "exit status of " + words[0])
        t.has(r.err, "--as: ", say)


@each([("a key", b"speed 9\n", "line 1: unknown key 'speed'"),
       ("a suite", b"title x\nciphers TLS_X\n", "line 2: ciphers: unknown 'TLS_X'"),
       ("a NUL", b"title x\0\n", "a NUL byte"),
       ("too large", b"#" * 70000, "65536")])
def a_file_that_is_no_profile(t, text, say):
    name = t.named(text)
    r = t.run("connect", "127.0.0.1:1", "--as", name)
    t.bad(r, 3, "file", r.error["code"], "--as: ", say)


@test
def an_option_changes_what_the_profile_says(t):
    server = t.serve("--echo", "--keep-open")
    c = t.connect(server, "--as", "micropython-1.24", "--max-version", "1.3",
                  "--ciphers", "TLS_AES_128_GCM_SHA256", "--verify",
                  "required", ca="root.der", stdin=b"x").wait()
    t.eq(c.report["tls"]["version"], "TLSv1.3", "the version")
    c = t.connect(server, "--as", "micropython-esp32", "--verify", "required",
                  "--time", "now", "--on-eof", "close", ca="root.der").wait()
    t.eq(c.status, 0, "exit status: " + c.err)
    t.eq(c.report["tls"]["close_notify_sent"], False, "close_notify")


@test
def a_device_verifies_nothing_unless_told(t):
    server = t.serve("--echo", "--keep-open", name="server-self-signed")
    c = t.connect(server, "--as", "micropython-1.24", "--on-eof", "close",
                  ca=None).wait()
    t.eq(c.status, 0, "exit status")
    t.has(c.err, "not verifying the peer")
    c = t.connect(server, "--as", "zephyr", ca=None).wait()
    t.bad(c, 22, "alert", 40, "handshake_failure")


@test
def the_clock_of_a_device(t):
    server = t.serve("--echo", "--keep-open")
    c = t.connect(server, "--as", "micropython-stm32-1.24", "--verify",
                  "required", ca="root.der").wait()
    t.bad(c, 31, "verify", 512, "is not valid yet")
    t.has(c.err, "2015-01-01")
    c = t.connect(server, "--as", "micropython-rp2-1.24", "--verify",
                  "required", "--on-eof", "close", ca="root.der").wait()
    t.eq(c.status, 0, "2021 is within the validity: " + c.err)


@each([("DER is wanted", "micropython-1.24", "root.pem", 3),
       ("either will do", "micropython-1.29", "root.pem", 0),
       ("DER is there", "micropython-1.24", "root.der", 0)])
def verify_as_a_device(t, device, ca, status):
    r = t.run("verify", cert("server-ec256.pem"), "--as", device, "--cafile",
              cert(ca))
    t.eq(r.status, status, "exit status: " + r.err)


@test
def verify_as_the_device_that_it_does_not_fit(t):
    r = t.run("verify", cert("server-rsa4096.pem"), "--as", "zephyr",
              "--cafile", cert("root-rsa4096.der"))
    t.bad(r, 51, "device", -0x7100, "the chain makes a Certificate message of "
          "4363 bytes; the device's input buffer holds 1500")
    t.eq(r.report["findings"][0]["name"], "device-chain", "the finding")
    r = t.run("verify", cert("server-rsa4096.pem"), "--as", "arduino-esp32",
              "--cafile", cert("root-rsa4096.der"))
    t.bad(r, 51, "device", -0x3000, "has an RSA key of 4096 bits")
    t.eq(r.report["findings"][0]["name"], "device-key", "the finding")


@test
def a_server_as_a_device(t):
    words = ("--cert", cert("server-ec256.der"), "--key",
             cert("server-ec256-key.der"))
    server = t.serve("--echo", "--keep-open", "--as", "micropython-1.24",
                     *words, name=None)
    c = t.connect(server, "--allow-truncation", stdin=b"x").wait()
    t.eq(c.report["tls"]["version"], "TLSv1.2", "the version")
    c = t.connect(server, "--min-version", "1.3").wait()
    t.eq(c.status, 22, "exit status of TLS 1.3")
    r = t.run("serve", "--as", "micropython-1.24", "--cert",
              cert("server-ec256.pem"), "--key", cert("server-ec256-key.pem"),
              "127.0.0.1:0")
    t.bad(r, 3, "tls", -0x2180, "the certificate is in PEM")


@test
def a_report_leaves_in_one_write(t):
    """Who reads along finds whole lines, however much there is to say."""
    server = t.serve("--echo", "--keep-open", name="server-rsa4096")
    fifo = t.path("fifo")
    os.mkfifo(fifo)
    fd = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    t.on_exit(lambda: os.close(fd))
    p = t.connect(server, "--json=" + fifo, ca="root-rsa4096.der",
                  report=False, stdin=b"x")
    select.select([fd], [], [], DEADLINE)
    first = os.read(fd, 1 << 16)
    p.wait()
    t.eq(len(first) > 4096, True, "more than a page")
    t.eq(json.loads(first)["ok"], True, "what came first, all of it")
