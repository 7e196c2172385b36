# Getting a Linux kernel to compare with: Debian packages the newest for its backports, and keeps
# just that. Sourced by hake/linux, in the top folder; run by itself ("sh hake/linux-fetch.sh"), as
# hake does, it fetches one if there is none yet.
#
# Nothing is installed and the machine's own apt is not touched: lists and packages are kept in
# the folder build/linux, by a set-up of apt that is all in there. What matters in the end are the
# files vmlinuz, and version, in that folder.

suite=trixie-backports
series=7
linux=${build:=${SKERRY_BUILD:-build}}/linux

. hake/apt.sh

# What to do instead; the reason $1 comes first.
give_up() {
	say "$1"
	say "The kernel comes from $suite at $mirror (another one: \$SKERRY_MIRROR). Without a network,"
	say "name a kernel file of Linux $series (any x86-64 vmlinuz, with a serial console and devtmpfs"
	say "built in) in \$SKERRY_LINUX. hake/README.md, Linux, says more."
	return 1
}

# The newest of the package names on standard input: Debian's usual kernel, neither the one for
# clouds nor the one for real time, nor one without a signature.
newest_package() {
	grep -E "^linux-binary-$series\.[0-9.]+[^-]*-amd64\$" | sort -V | tail -n 1
}

# Takes the kernel out of the package $1 into $linux; the package is not kept.
unpack_kernel() {
	rm -rf "$linux/new"
	mkdir -p "$linux/new"
	(cd "$linux/new" && private_apt apt-get download "$1") >&2 ||
		give_up "the package $1 could not be fetched." || return 1
	dpkg-deb --fsys-tarfile "$linux"/new/*.deb |
		tar -x -C "$linux/new" --wildcards --no-anchored 'vmlinuz*' ||
		give_up "the package $1 has no kernel in it." || return 1
	echo "${1#linux-binary-}" >"$linux/version"
	mv "$(find "$linux/new" -type f -name 'vmlinuz*' | head -n 1)" "$linux/vmlinuz"
	rm -rf "$linux/new"
}

# Looks for the newest kernel, and fetches it unless it is here.
fetch_linux() {
	set_up_apt "$linux/apt" "$suite" ||
		give_up "there are no keys of Debian (/usr/share/keyrings/debian-archive-keyring.gpg): install the package debian-archive-keyring." || return 1
	private_apt apt-get update >&2 ||
		give_up "the list of packages of $suite could not be fetched." || return 1
	package=$(private_apt apt-cache pkgnames linux-binary- | newest_package)
	if [ -z "$package" ]; then
		give_up "$suite has no kernel of Linux $series any more."
		return 1
	fi
	if [ -f "$linux/vmlinuz" ] && [ "linux-binary-$(cat "$linux/version")" = "$package" ]; then
		say "Linux $(cat "$linux/version") is the newest there is, and is here: $linux/vmlinuz"
		return 0
	fi
	say "fetching $package"
	unpack_kernel "$package" || return 1
	say "Linux $(cat "$linux/version"): $linux/vmlinuz"
}

# Whether there is a kernel to run; else it is fetched, by one of those who need it at once.
need_linux() {
	if [ -n "${SKERRY_LINUX:-}" ] || [ -f "$linux/vmlinuz" ]; then
		return 0
	fi
	mkdir -p "$linux"
	(
		flock 8
		[ -f "$linux/vmlinuz" ] || fetch_linux
	) 8>"$linux/lock"
}

case $0 in
*linux-fetch.sh)
	set -eu
	need_linux
	;;
esac
