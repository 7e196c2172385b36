-- A small project with which hake's test runner is tested (see tests/hake/runner). The guest
-- prints its command line, and ends with the code that is its last digit.

loader "skerry" { sources = "guest.S", ldscript = "guest.ld" }

image { files = { ["bin/hello"] = "guest.ld" } }

boot_test "passes" {
  append = ";@core id=0;@core id=1;@test name=a result=pass;ready;@exit code=3",
  expect = { core = 2 },
  tests  = "a",
  says   = "ready",
  exit   = 3,
}

boot_test "guest-test-fails" { append = ";@test name=a result=fail detail=why;@exit code=0" }
boot_test "test-is-missing" { append = ";@test name=a result=pass;@exit code=0", tests = { "a", "b" } }
boot_test "too-few-lines" { append = ";@core id=0;@exit code=0", expect = { core = 2 } }
boot_test "wrong-code" { append = ";@exit code=4", exit = 5 }
boot_test "silent" { append = ";@exit code=0", says = "ready" }
boot_test "resets" { append = ";bye r" }
boot_test "hangs" { append = ";bye h", timeout = 2 }
boot_test "by-bios" { append = ";@exit code=0", firmware = "iso-bios", suite = "iso" }
boot_test "by-uefi" { append = ";@exit code=0", firmware = "iso-uefi", suite = "iso" }

host_test "host-passes" { command = "true", suite = "host" }
host_test "host-fails" { command = "echo it broke; exit 9", suite = "host" }
host_test "host-skips" { command = "echo no such thing here; exit 77", suite = "host" }
host_test "host-hangs" { command = "sleep 100", suite = "host", timeout = 1 }
host_test "host-crashes" { command = "kill -SEGV $$", suite = "host" }
host_test "host-long" { command = "true", suite = "host", long = true }
host_test "host-either" { command = "exit 1", long_command = "exit 0", suite = "either" }

benchmark "within" { append = ";@bench name=a value=5 unit=cycles limit=5;@exit code=0" }
benchmark "over" { append = ";@bench name=a value=6 unit=cycles limit=5;@exit code=0" }
