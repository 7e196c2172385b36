# Containers with process numbers of their own: util-linux's and busybox's unshare -p.

as_user='setpriv --reuid=1000 --regid=1000 --clear-groups'
b=busybox

case_process_numbers() {
	unshare -p --fork --mount-proc sh -c 'echo $$; ls /proc | grep -xE "[0-9]+" | head -n 1; readlink /proc/self/ns/pid >a; readlink /proc/1/ns/pid | cmp - a'
	unshare -pf --kill-child sh -c 'echo $$; sh -c "echo \$\$"'
}

case_container_with_all_namespaces() {
	$as_user unshare -Urmpuinf --mount-proc sh -c 'echo $$; hostname box; hostname; ls /proc | grep -cxE "[0-9]+" >/dev/null && echo proc; grep -c . /proc/self/mountinfo >/dev/null && echo mounts'
}

case_proc_that_is_hidden_in_part() {
	mkdir p
	unshare -m sh -c "
		mount -t tmpfs x /proc/sys
		$as_user unshare -Urmpf mount -t proc proc p; echo \$?
		umount /proc/sys
		$as_user unshare -Urmpf mount -t proc proc p; echo \$?"
}

case_container_of_a_process() {
	$b unshare -mpf sh -c '
		busybox mount --bind /small /small; cd /small; busybox pivot_root . old
		exec busybox chroot . /bin/sh -c "mount -t proc proc /proc; umount -l /old; echo \$\$; ls -d /proc/1"'
}
