# For hake's own tests (sourced): checks, and a small project to try hake on.
#
# Each test is a function named by the behaviour it holds hake to; "run_tests" runs every one
# in a shell of its own and says which failed.

hake=$(realpath "$SKERRY_BUILD/hake")
here=$PWD/tests/hake

# fail TEXT: ends the test.
fail() {
	echo "  $*"
	exit 1
}

# expect STATUS COMMAND...: its exit status; its output is kept in $out.
expect() {
	wanted=$1
	shift
	status=0
	out=$("$@" 2>&1 </dev/null) || status=$?
	[ "$status" = "$wanted" ] || fail "$*: exit status $status, not $wanted: $out"
}

# says TEXT: the last command said so.
says() {
	case $out in
	*"$1"*) ;;
	*) fail "expected \"$1\" in: $out" ;;
	esac
}

# says_not TEXT
says_not() {
	case $out in
	*"$1"*) fail "did not expect \"$1\" in: $out" ;;
	esac
}

# A copy of the small project, with hake itself; the current folder is in it from then on.
new_project() {
	dir=$(mktemp -d)
	trap 'rm -rf "$dir"' EXIT
	mkdir -p "$dir/build" "$dir/hake"
	cp -r "$here/../../hake/topologies" "$dir/hake/"
	cp "$here/guest.S" "$here/guest.ld" "$dir/"
	cp "$here/project.lua" "$dir/Hakefile"
	cp "$hake" "$dir/build/hake"
	cd "$dir" || exit 1
	unset SKERRY_BUILD
	hake=build/hake
}

# A QEMU that says of itself what the test wants: version $1, at most $2 cores.
fake_qemu() {
	cat >qemu <<-END
		#!/bin/sh
		case \$1 in
		--version) echo "QEMU emulator version $1" ;;
		*) echo '{"return": [{"name": "pc-q35-9", "alias": "q35", "cpu-max": $2}]}' ;;
		esac
	END
	chmod +x qemu
}

# wrong_hakefile TEXT: what hake says of a Hakefile with it.
wrong_hakefile() {
	new_project
	printf '%s\n' "$1" >Hakefile
	expect 2 "$hake" build
}

# A machine without the package $1: apt has version $2 of it, backports have $3.
fake_debian() {
	machine=$(mktemp -d)
	trap 'rm -rf "$machine"' EXIT
	mkdir -p "$machine/bin" "$machine/build" "$machine/apt/sources.list.d"
	cat >"$machine/bin/dpkg-query" <<-END
		#!/bin/sh
		/usr/bin/dpkg-query "\$@" | grep -v " $1 "
	END
	cat >"$machine/bin/apt-cache" <<-END
		#!/bin/sh
		case "\$*" in
		*-t*) echo '  Candidate: $3' ;;
		*) echo '  Candidate: $2' ;;
		esac
	END
	cat >"$machine/bin/apt-get" <<-END
		#!/bin/sh
		echo "\$*" >>"$machine/asked"
	END
	printf '#!/bin/sh\nexit 1\n' >"$machine/bin/sudo"
	chmod +x "$machine"/bin/*
}

# Runs the set-up there, as user number $1. Its output is in $out, what apt-get was told in $asked.
set_up() {
	printf '#!/bin/sh\necho %s\n' "$1" >"$machine/bin/id"
	chmod +x "$machine/bin/id"
	status=0
	out=$(PATH=$machine/bin:$PATH SKERRY_APT_DIR=$machine/apt build=$machine/build \
		sh -c '. hake/packages.sh; install_packages' 2>&1) || status=$?
	asked=$(cat "$machine/asked" 2>/dev/null)
}

# The small project with two Linux programs, and the tiny guest for a Linux. The second program
# shows one case more on Skerry.
new_linux_project() {
	new_project
	echo 'int main(void) { return 0; }' >init.c
	cat >>Hakefile <<-END
		host_program "linux-init" { sources = "init.c" }
		boot_test "same" {
		  suite = "linux", program = "/bin/hello ;@test name=a result=pass;@exit code=0",
		}
		boot_test "other" {
		  suite = "linux", append = ";@test name=b result=pass;",
		  program = "/bin/hello ;@test name=a result=pass;@exit code=0",
		}
	END
	mkdir -p tests/linux
	expect 0 "$hake" build
	export SKERRY_LINUX=build/skerry.elf
}

# A build folder of its own, with the functions of hake/linux-fetch.sh.
linux_folder() {
	dir=$(mktemp -d)
	trap 'rm -rf "$dir"' EXIT
	unset SKERRY_LINUX
	build=$dir
	. hake/linux-fetch.sh
}

# A package linux-binary-7.9.1-amd64 with "kernel" in it, and an apt that has just that.
fake_mirror() {
	: "${dir:?}" # of linux_folder
	mkdir -p "$dir/deb/DEBIAN" "$dir/deb/usr/lib/modules/7.9.1-amd64" "$dir/bin"
	echo kernel >"$dir/deb/usr/lib/modules/7.9.1-amd64/vmlinuz"
	printf 'Package: linux-binary-7.9.1-amd64\nVersion: 1\nArchitecture: amd64\nMaintainer: nobody <nobody@localhost>\nDescription: none\n' \
		>"$dir/deb/DEBIAN/control"
	dpkg-deb --build "$dir/deb" "$dir/kernel.deb" >/dev/null
	cat >"$dir/bin/apt-get" <<-END
		#!/bin/sh
		case "\$*" in
		*" download "*) echo fetched >>"$dir/fetched"; cp "$dir/kernel.deb" . ;;
		esac
	END
	printf '#!/bin/sh\necho linux-binary-7.9.1-amd64\n' >"$dir/bin/apt-cache"
	chmod +x "$dir/bin/apt-get" "$dir/bin/apt-cache"
	PATH=$dir/bin:$PATH
}

# Runs every function of the script that was started.
run_tests() {
	failed=0
	for name in $(sed -n 's/^\([a-z_0-9]*\)() {$/\1/p' "$0"); do
		if ("$name"); then
			echo "pass $name"
		else
			echo "FAIL $name"
			failed=1
		fi
	done
	exit $failed
}
