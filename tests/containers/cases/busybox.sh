# Busybox's unshare, nsenter, mount, umount, pivot_root, mountpoint, chroot.

b='busybox'
as_user='setpriv --reuid=1000 --regid=1000 --clear-groups'

case_unshare_mounts() {
	mkdir m
	$b unshare -m sh -c 'busybox mount -t tmpfs x m; touch m/f; ls m; busybox mountpoint m'
	ls m
}

case_unshare_a_user_namespace() {
	$as_user $b unshare -Ur sh -c 'id -u; cat /proc/self/uid_map'
	$as_user $b unshare -Urm sh -c 'busybox mount -t tmpfs x /mnt && touch /mnt/f && ls /mnt'
	ls /mnt
}

case_nsenter_a_process() {
	mkdir m
	$b unshare -mu sh -c 'hostname there; busybox mount -t tmpfs x m; touch m/f ready; while [ -e ready ]; do sleep 0.1; done' &
	while ! [ -e ready ]; do sleep 0.1; done
	$b nsenter -t $! -u hostname
	$b nsenter -t $! -m ls "$PWD/m"
	$b nsenter -t $! -m -u -- busybox sh -c 'hostname'
	rm ready
	wait
}

case_mount_flags() {
	mkdir a b
	$b unshare -m sh -c '
		busybox mount -t tmpfs -o nosuid,nodev,size=64k src a; busybox mount | busybox grep src | sed "s,$PWD,,"
		busybox mount -o bind a b; touch a/f; ls b; busybox mount -o remount,ro,bind b; touch b/g
		busybox umount b; ls b; busybox mount --rbind a b; ls b; busybox umount -l b; ls b'
}

case_classic_container() {
	$b unshare -m sh -c '
		mount --make-rprivate /; mount --bind /small /small; cd /small
		busybox pivot_root . old && exec busybox chroot . /bin/sh -c "
			mount -t proc proc /proc; umount -l /old; ls /; cat /proc/mounts"' | cut -d " " -f 2-3
}

case_chroot_has_nothing_above() {
	$b chroot /small /bin/sh -c 'cd /../../..; pwd; ls ../../..'
}
