# Installing Debian packages, for hake/setup (which sources this in the top folder).
#
# A stamp in the build folder says that hake/packages, as it is now, is installed, as of the
# last change of dpkg's own state; so the usual case starts no process but a comparison.

sources=${SKERRY_APT_DIR:-/etc/apt} # elsewhere in hake's own tests

say() {
	echo "hake: $*" >&2
}

# What is missing or too old, one "name" or "name version" a line.
missing_packages() {
	grep -v '^#' hake/packages | while read -r name version; do
		have=$(grep "^$name " "$1" | cut -d ' ' -f 2)
		if [ -z "$have" ]; then
			echo "$name $version"
		elif [ -n "$version" ] && ! dpkg --compare-versions "${have#*:}" ge "$version"; then
			echo "$name $version"
		fi
	done
}

# "name version" of every installed package of the list, into the file $1.
list_installed() {
	# dpkg-query fails when some are unknown to it; the others are listed all the same.
	dpkg-query -W -f '${db:Status-Status} ${Package} ${Version}\n' \
		$(grep -v '^#' hake/packages | cut -d ' ' -f 1) 2>/dev/null |
		sed -n 's/^installed //p' >"$1" || true
}

as_root() {
	if [ "$(id -u)" = 0 ]; then
		env DEBIAN_FRONTEND=noninteractive "$@"
	else
		sudo -n env DEBIAN_FRONTEND=noninteractive "$@"
	fi
}

can_be_root() {
	[ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null
}

# The version that apt would install of package $1 from the suite $2 (or by default); nothing,
# if there is none.
candidate() {
	apt-cache policy ${2:+-t "$2"} "$1" 2>/dev/null |
		sed -n 's/^  Candidate: \([0-9]\)/\1/p' | sed 's/^[0-9]*://'
}

# Prints the suite that has package $1 in version $2, "" for the usual one. Adds Debian's
# backports if they are what is missing. Fails, having said why, if none has it.
suite_for() {
	codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
	backports=$codename-backports
	if [ -z "$2" ] || dpkg --compare-versions "$(candidate "$1")" ge "$2"; then
		return 0
	fi
	if ! grep -qs "$backports" "$sources/sources.list" "$sources"/sources.list.d/*; then
		say "$1 $2 or newer is not in Debian $codename: adding $backports ($sources/sources.list.d/skerry-backports.sources)"
		printf 'Types: deb\nURIs: http://deb.debian.org/debian\nSuites: %s\nComponents: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n' \
			"$backports" | as_root tee "$sources/sources.list.d/skerry-backports.sources" >/dev/null
		as_root apt-get -qq update >&2 || true
	fi
	if dpkg --compare-versions "$(candidate "$1" "$backports")" ge "$2"; then
		echo "$backports"
		return 0
	fi
	say "there is no $1 of version $2 or newer to be had: Debian $codename has $(candidate "$1"),"
	say "and its backports have none or cannot be reached. Install $1 >= $2 yourself, then run this again."
	return 1
}

# Installs the packages $2... from the suite $1 ("": the usual).
install_from() {
	suite=$1
	shift
	say "installing $*${suite:+ from $suite}"
	as_root apt-get -qq install -y --no-install-recommends ${suite:+-t "$suite"} "$@" >"$build/apt.log" 2>&1 || {
		tail -5 "$build/apt.log" >&2
		say "apt-get could not install that (all it said is in $build/apt.log)"
		return 1
	}
}

# Installs what $1 names, lines of missing_packages.
install_missing() {
	names=$(echo "$1" | cut -d ' ' -f 1 | tr '\n' ' ')
	say "these packages are missing: $names"
	if ! can_be_root; then
		say "run this as root, then try again:  apt-get install $names"
		echo "$1" | sed -n 's/^\(.*\) \(..*\)$/hake: (\1 must be \2 or newer; your release may have it in its backports)/p' >&2
		return 1
	fi
	as_root apt-get -qq update >&2 || say "apt-get update failed; going on with the lists there are"
	usual=
	while read -r name version; do
		suite=$(suite_for "$name" "$version") || return 1
		if [ -n "$suite" ]; then
			install_from "$suite" "$name" || return 1
		else
			usual="$usual $name"
		fi
	done <<-END
		$1
	END
	[ -z "$usual" ] || install_from "" $usual
}

install_packages() {
	stamp=$build/packages.stamp
	if [ "$stamp" -nt hake/packages ] && [ "$stamp" -nt /var/lib/dpkg/status ]; then
		return 0
	fi
	if ! command -v dpkg-query >/dev/null; then
		say "this is no Debian: install by hand what hake/packages lists"
		return 0
	fi
	list_installed "$build/packages.have"
	missing=$(missing_packages "$build/packages.have")
	[ -z "$missing" ] || install_missing "$missing" || exit 1
	touch "$stamp"
}
