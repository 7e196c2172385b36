# Booting the loader in QEMU with chosen images and machines; sourced by the tests beside.

set -u
build=${SKERRY_BUILD:-build}
qemu=${SKERRY_QEMU:-qemu-system-x86_64}
dir=$(mktemp -d "${TMPDIR:-/tmp}/skerry-loader.XXXXXX") || exit 2
guest=
failed=0
trap 'kill $guest 2>/dev/null; rm -rf "$dir"' EXIT

# The image of all that is built, for 4 cores. hake makes it, and shows QEMU's command line.
image=$("$build/hake" run --topology laptop --verbose --timeout 1 </dev/null 2>&1 |
	sed -n 's/^hake: .* -initrd \([^ ]*\).*/\1/p')
if [ ! -f "$image" ]; then
	echo "hake made no image"
	exit 2
fi

# start QEMU-ARGUMENT...: the console goes to $dir/console.
start() {
	: >"$dir/console"
	timeout 60 "$qemu" -accel tcg -machine q35 -cpu max,+x2apic -m 128 -nodefaults -no-reboot \
		-display none -serial "file:$dir/console" -bios /usr/share/qemu/qboot.rom \
		-device isa-debug-exit,iobase=0xf4,iosize=4 -kernel "$build/skerry.elf" \
		"$@" 2>"$dir/qemu" &
	guest=$!
}

report() {
	echo "$1"
	sed 's/^/    /' "$dir/qemu" "$dir/console" | tail -12
	failed=$((failed + 1))
}

# says TEXT QEMU-ARGUMENT...: the console must show the text within 30 seconds.
says() {
	text=$1
	shift
	start "$@"
	tries=300
	until grep -qF -- "$text" "$dir/console"; do
		tries=$((tries - 1))
		if [ $tries = 0 ] || ! kill -0 $guest 2>/dev/null; then
			grep -qF -- "$text" "$dir/console" || report "no line: $text"
			break
		fi
		sleep 0.1
	done
	kill $guest 2>/dev/null
	wait $guest 2>/dev/null
}

# refuses TEXT IMAGE WORDS QEMU-ARGUMENT...: the same, and the guest ends as failed (status 3: by
# isa-debug-exit, 1). WORDS go to the command line; an empty IMAGE is none.
refuses() {
	text=$1 initrd=${2:+-initrd $2} words="panic=exit $3"
	shift 3
	# shellcheck disable=SC2086 # two arguments or none
	start $initrd -append "$words" "$@"
	wait $guest
	status=$?
	grep -qF -- "$text" "$dir/console" || report "no line: $text"
	[ $status = 3 ] || report "exit status $status, not 3, after: $text"
}

# damage NAME SED-COMMAND: an image in which bytes differ, but none is more or less.
damage() {
	LC_ALL=C sed "$2" "$image" >"$dir/$1"
	if cmp -s "$image" "$dir/$1"; then
		echo "$1 does not damage the image"
		failed=$((failed + 1))
	fi
}

finish() {
	exit $((failed != 0))
}
