/*
 * Making, removing, linking and renaming names: mkdir(2), mknod(2), link(2), unlink(2), rename(2).
 */
#include "world.h"

static struct world w;
static struct vfs_task *const t = &w.task;

static int ren(const char *from, const char *to, u32 flags)
{
	return vfs_renameat2(t, AT_FDCWD, from, AT_FDCWD, to, flags);
}

static int rm(const char *path)
{
	return vfs_unlinkat(t, AT_FDCWD, path, 0);
}

static int rmdir_at(const char *path)
{
	return vfs_unlinkat(t, AT_FDCWD, path, AT_REMOVEDIR);
}

static int ln(const char *from, const char *to)
{
	return vfs_linkat(t, AT_FDCWD, from, AT_FDCWD, to, 0);
}

static struct vfs_stat st_of(const char *path)
{
	struct vfs_stat st = {0};

	CHECK_EQUAL(vfs_statat(t, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, &st), 0);
	return st;
}

static void begin(void)
{
	world_begin(&w);
	mkdir_at(t, "/a");
	mkdir_at(t, "/b");
	make_file(t, "/f", "f");
	make_file(t, "/g", "g");
}

TEST(mkdir_of_what_exists_is_eexist)
{
	begin();
	CHECK_EQUAL(mkdir_at(t, "/a"), -EEXIST);
	CHECK_EQUAL(mkdir_at(t, "/f"), -EEXIST);
	CHECK_EQUAL(mkdir_at(t, "/"), -EEXIST);
	CHECK_EQUAL(mkdir_at(t, "/a/."), -EEXIST);
	CHECK_EQUAL(mkdir_at(t, "/no/x"), -ENOENT);
	CHECK_EQUAL(mkdir_at(t, "/f/x"), -ENOTDIR);
	CHECK_EQUAL(mkdir_at(t, "/a/new/"), 0);
	world_end(&w);
}

TEST(new_nodes_obey_umask_and_setgid_folders)
{
	begin();
	vfs_umask(t, 027);
	CHECK_EQUAL(vfs_mkdirat(t, AT_FDCWD, "/a/d", 0777), 0);
	CHECK_EQUAL(mode_of(t, "/a/d"), S_IFDIR | 0750);
	CHECK_EQUAL(vfs_fchownat(t, AT_FDCWD, "/a", 0, 50, 0), 0);
	CHECK_EQUAL(vfs_fchmodat2(t, AT_FDCWD, "/a", 02777, 0), 0);
	CHECK_EQUAL(vfs_mkdirat(t, AT_FDCWD, "/a/e", 0777), 0);
	CHECK_EQUAL(mode_of(t, "/a/e"), S_IFDIR | 02750);
	CHECK_EQUAL(st_of("/a/e").gid, 50);
	world_end(&w);
}

TEST(mknod_makes_fifos_for_all_and_devices_for_the_capable)
{
	struct vfs_task user;

	begin();
	vfs_fchmodat2(t, AT_FDCWD, "/a", 0777, 0);
	world_task(&w, &user, 5, 1000);
	CHECK_EQUAL(vfs_mknodat(&user, AT_FDCWD, "/a/p", S_IFIFO | 0644, 0), 0);
	CHECK_EQUAL(vfs_mknodat(&user, AT_FDCWD, "/a/n", S_IFCHR | 0644, VFS_DEV(1, 3)), -EPERM);
	CHECK_EQUAL(vfs_mknodat(t, AT_FDCWD, "/a/n", S_IFCHR | 0644, VFS_DEV(1, 3)), 0);
	CHECK_EQUAL(st_of("/a/n").rdev, VFS_DEV(1, 3));
	CHECK_EQUAL(vfs_mknodat(t, AT_FDCWD, "/a/d", S_IFDIR | 0755, 0), -EPERM);
	CHECK_EQUAL(vfs_mknodat(t, AT_FDCWD, "/a/x", 0170000, 0), -EINVAL);
	CHECK_EQUAL(vfs_mknodat(t, AT_FDCWD, "/a/r/", S_IFREG, 0), -ENOENT);
	world_task_end(&user);
	world_end(&w);
}

TEST(link_counts_links_and_refuses_folders)
{
	begin();
	CHECK_EQUAL(ln("/f", "/a/f2"), 0);
	CHECK_EQUAL(st_of("/f").nlink, 2);
	CHECK_EQUAL(st_of("/f").ino, st_of("/a/f2").ino);
	CHECK_EQUAL(rm("/f"), 0);
	CHECK_STRING(contents(t, "/a/f2"), "f");
	CHECK_EQUAL(st_of("/a/f2").nlink, 1);
	CHECK_EQUAL(ln("/a", "/c"), -EPERM);
	CHECK_EQUAL(ln("/g", "/a/f2"), -EEXIST);
	world_end(&w);
}

TEST(link_across_mounts_is_exdev)
{
	begin();
	CHECK_EQUAL(vfs_mount(t, "x", "/a", "tmpfs", 0, NULL), 0);
	CHECK_EQUAL(ln("/f", "/a/f"), -EXDEV);
	CHECK_EQUAL(ren("/f", "/a/f", 0), -EXDEV);
	world_end(&w);
}

TEST(nameless_file_gets_a_name_by_link)
{
	int fd;

	begin();
	fd = vfs_openat(t, AT_FDCWD, "/a", VFS_O_TMPFILE | O_DIRECTORY | O_RDWR, 0600);
	REQUIRE(fd >= 0);
	CHECK_EQUAL(put(t, fd, "tmp"), 3);
	CHECK_EQUAL(vfs_linkat(t, fd, "", AT_FDCWD, "/a/named", AT_EMPTY_PATH), 0);
	CHECK_STRING(contents(t, "/a/named"), "tmp");
	fd = vfs_openat(t, AT_FDCWD, "/a", VFS_O_TMPFILE | O_DIRECTORY | O_RDWR | O_EXCL, 0600);
	CHECK_EQUAL(vfs_linkat(t, fd, "", AT_FDCWD, "/a/other", AT_EMPTY_PATH), -ENOENT);
	CHECK_EQUAL(vfs_openat(t, AT_FDCWD, "/a", VFS_O_TMPFILE | O_DIRECTORY, 0600), -EINVAL);
	world_end(&w);
}

TEST(unlink_keeps_open_files)
{
	char buf[8];
	int fd;

	begin();
	fd = vfs_openat(t, AT_FDCWD, "/f", O_RDWR, 0);
	CHECK_EQUAL(rm("/f"), 0);
	CHECK_EQUAL(rm("/f"), -ENOENT);
	CHECK_EQUAL(get(t, fd, buf, sizeof(buf)), 1);
	CHECK_STRING(buf, "f");
	CHECK_EQUAL(make_file(t, "/f", "new"), 0);
	CHECK_STRING(contents(t, "/f"), "new");
	world_end(&w);
}

TEST(unlink_and_rmdir_mind_the_type)
{
	begin();
	CHECK_EQUAL(rm("/a"), -EISDIR);
	CHECK_EQUAL(rm("/a/"), -EISDIR);
	CHECK_EQUAL(rm("/f/"), -ENOTDIR);
	CHECK_EQUAL(rm("/a/."), -EISDIR);
	CHECK_EQUAL(rm("/nothing/"), -ENOENT);
	CHECK_EQUAL(rmdir_at("/f"), -ENOTDIR);
	CHECK_EQUAL(rmdir_at("/a/."), -EINVAL);
	CHECK_EQUAL(rmdir_at("/a/.."), -ENOTEMPTY);
	CHECK_EQUAL(rmdir_at("/"), -EBUSY);
	mkdir_at(t, "/a/x");
	CHECK_EQUAL(rmdir_at("/a"), -ENOTEMPTY);
	CHECK_EQUAL(rmdir_at("/a/x"), 0);
	CHECK_EQUAL(rmdir_at("/a/"), 0);
	world_end(&w);
}

TEST(removal_of_a_mount_point_is_ebusy)
{
	begin();
	CHECK_EQUAL(vfs_mount(t, "x", "/a", "tmpfs", 0, NULL), 0);
	CHECK_EQUAL(rmdir_at("/a"), -EBUSY);
	CHECK_EQUAL(ren("/a", "/c", 0), -EBUSY);
	CHECK_EQUAL(vfs_umount(t, "/a", 0), 0);
	CHECK_EQUAL(rmdir_at("/a"), 0);
	world_end(&w);
}

TEST(sticky_folder_protects_others_files)
{
	struct vfs_task user;

	begin();
	vfs_fchmodat2(t, AT_FDCWD, "/a", 01777, 0);
	make_file(t, "/a/roots", "");
	world_task(&w, &user, 5, 1000);
	CHECK_EQUAL(make_file(&user, "/a/mine", ""), 0);
	CHECK_EQUAL(vfs_unlinkat(&user, AT_FDCWD, "/a/roots", 0), -EPERM);
	CHECK_EQUAL(vfs_renameat2(&user, AT_FDCWD, "/a/roots", AT_FDCWD, "/a/x", 0), -EPERM);
	CHECK_EQUAL(vfs_unlinkat(&user, AT_FDCWD, "/a/mine", 0), 0);
	world_task_end(&user);
	world_end(&w);
}

TEST(rename_replaces_and_leaves_nothing_behind)
{
	begin();
	CHECK_EQUAL(ren("/f", "/g", 0), 0);
	CHECK_STRING(contents(t, "/g"), "f");
	CHECK_STRING(names_in(t, "/"), "a b g ");
	CHECK_EQUAL(ren("/g", "/a/h", 0), 0);
	CHECK_STRING(names_in(t, "/a"), "h ");
	CHECK_EQUAL(ren("/nothing", "/x", 0), -ENOENT);
	world_end(&w);
}

TEST(rename_to_another_name_of_the_same_file_does_nothing)
{
	begin();
	CHECK_EQUAL(ln("/f", "/h"), 0);
	CHECK_EQUAL(ren("/f", "/h", 0), 0);
	CHECK_EQUAL(st_of("/f").nlink, 2);
	CHECK_EQUAL(ren("/f", "/f", 0), 0);
	world_end(&w);
}

TEST(rename_of_folders_counts_links_of_parents)
{
	begin();
	mkdir_at(t, "/a/d");
	CHECK_EQUAL(st_of("/a").nlink, 3);
	CHECK_EQUAL(ren("/a/d", "/b/d", 0), 0);
	CHECK_EQUAL(st_of("/a").nlink, 2);
	CHECK_EQUAL(st_of("/b").nlink, 3);
	CHECK_EQUAL(st_of("/b/d/..").ino, st_of("/b").ino);
	mkdir_at(t, "/a/d");
	CHECK_EQUAL(ren("/b/d", "/a/d", 0), 0);
	CHECK_EQUAL(st_of("/a").nlink, 3);
	CHECK_EQUAL(st_of("/b").nlink, 2);
	world_end(&w);
}

TEST(rename_minds_types_and_emptiness)
{
	begin();
	make_file(t, "/b/x", "");
	CHECK_EQUAL(ren("/a", "/b", 0), -ENOTEMPTY);
	CHECK_EQUAL(ren("/a", "/f", 0), -ENOTDIR);
	CHECK_EQUAL(ren("/f", "/a", 0), -EISDIR);
	CHECK_EQUAL(ren("/f", "/h/", 0), -ENOTDIR);
	CHECK_EQUAL(ren("/a/.", "/x", 0), -EBUSY);
	CHECK_EQUAL(ren("/f", "/a/..", 0), -EBUSY);
	CHECK_EQUAL(ren("/b", "/a", 0), 0);
	CHECK_STRING(names_in(t, "/a"), "x ");
	world_end(&w);
}

TEST(rename_into_itself_is_einval)
{
	begin();
	mkdir_at(t, "/a/x");
	CHECK_EQUAL(ren("/a", "/a/x/y", 0), -EINVAL);
	CHECK_EQUAL(ren("/a", "/a/y", 0), -EINVAL);
	CHECK_EQUAL(ren("/a/x", "/a", 0), -ENOTEMPTY);
	world_end(&w);
}

TEST(rename_noreplace_and_exchange)
{
	begin();
	CHECK_EQUAL(ren("/f", "/g", RENAME_NOREPLACE), -EEXIST);
	CHECK_EQUAL(ren("/f", "/h", RENAME_NOREPLACE), 0);
	CHECK_EQUAL(ren("/h", "/g", RENAME_EXCHANGE), 0);
	CHECK_STRING(contents(t, "/h"), "g");
	CHECK_EQUAL(ren("/h", "/nothing", RENAME_EXCHANGE), -ENOENT);
	CHECK_EQUAL(ren("/a", "/g", RENAME_EXCHANGE), 0);
	CHECK_EQUAL(mode_of(t, "/g") & S_IFMT, S_IFDIR);
	CHECK_STRING(contents(t, "/a"), "f");
	CHECK_EQUAL(ren("/g", "/b", RENAME_EXCHANGE | RENAME_NOREPLACE), -EINVAL);
	CHECK_EQUAL(ren("/g", "/b", 8), -EINVAL);
	world_end(&w);
}

TEST(replaced_file_keeps_its_name_for_those_who_have_it)
{
	struct file *file;
	char buf[64];
	int fd;

	begin();
	fd = vfs_openat(t, AT_FDCWD, "/g", O_RDONLY, 0);
	CHECK_EQUAL(ren("/f", "/g", 0), 0);
	file = fd_get(t, fd);
	CHECK(vfs_path_name(t, &file->path, buf, sizeof(buf)) > 0);
	CHECK_STRING(buf, "/g (deleted)");
	file_put(file);
	world_end(&w);
}

TEST(symlink_is_read_and_has_its_length)
{
	struct uio uio;
	char buf[8] = "";

	begin();
	CHECK_EQUAL(vfs_symlinkat(t, "target", AT_FDCWD, "/l"), 0);
	uio_kernel(&uio, buf, sizeof(buf));
	CHECK_EQUAL(vfs_readlinkat(t, AT_FDCWD, "/l", &uio), 6);
	CHECK_STRING(buf, "target");
	CHECK_EQUAL(st_of("/l").size, 6);
	uio_kernel(&uio, buf, 3);
	CHECK_EQUAL(vfs_readlinkat(t, AT_FDCWD, "/l", &uio), 3);
	uio_kernel(&uio, buf, 3);
	CHECK_EQUAL(vfs_readlinkat(t, AT_FDCWD, "/f", &uio), -EINVAL);
	CHECK_EQUAL(vfs_symlinkat(t, "", AT_FDCWD, "/m"), -ENOENT);
	CHECK_EQUAL(vfs_symlinkat(t, "x", AT_FDCWD, "/f"), -EEXIST);
	world_end(&w);
}

TEST(getdents_gives_every_name_once_while_others_change)
{
	char name[32];
	u8 records[512];
	struct uio uio;
	u32 seen = 0;
	s64 n;
	int fd;

	begin();
	for (int i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "/a/old%03d", i);
		make_file(t, name, "");
	}
	fd = vfs_openat(t, AT_FDCWD, "/a", O_RDONLY | O_DIRECTORY, 0);
	for (int round = 0;; round++) {
		uio_kernel(&uio, records, sizeof(records));
		n = vfs_getdents(t, fd, &uio, false);
		if (n <= 0)
			break;
		for (s64 at = 0; at < n; at += records[at + 16])
			seen += records[at + 19] == 'o';
		/* What was given goes, as rm -r does. */
		for (s64 at = 0; at < n; at += records[at + 16]) {
			snprintf(name, sizeof(name), "/a/%s", (char *)records + at + 19);
			if (records[at + 19] == 'o')
				CHECK_EQUAL(rm(name), 0);
		}
	}
	CHECK_EQUAL(n, 0);
	CHECK_EQUAL(seen, 200);
	CHECK_STRING(names_in(t, "/a"), "");
	uio_kernel(&uio, records, 10);
	vfs_lseek(t, fd, 0, 0);
	CHECK_EQUAL(vfs_getdents(t, fd, &uio, false), -EINVAL);
	world_end(&w);
}

TEST(getdents_goes_on_when_the_next_name_is_gone)
{
	char name[32];
	u8 records[256];
	struct uio uio;
	int fd;

	begin();
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "/a/name%02d", i);
		make_file(t, name, "");
	}
	fd = vfs_openat(t, AT_FDCWD, "/a", O_RDONLY | O_DIRECTORY, 0);
	uio_kernel(&uio, records, sizeof(records));
	CHECK(vfs_getdents(t, fd, &uio, false) > 0);
	for (int i = 0; i < 99; i++) {
		snprintf(name, sizeof(name), "/a/name%02d", i);
		CHECK_EQUAL(rm(name), 0);
	}
	uio_kernel(&uio, records, sizeof(records));
	CHECK_EQUAL(vfs_getdents(t, fd, &uio, false), 32);
	CHECK_STRING((char *)records + 19, "name99");
	world_end(&w);
}
