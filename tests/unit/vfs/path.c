/*
 * Path walk: path_resolution(7), openat2(2).
 */
#include "world.h"

#include "../../../services/vfs/internal.h"

#include <string.h>

static struct world w;
static struct vfs_task *const t = &w.task;

static int try_walk(const char *path, u32 flags)
{
	struct path at;
	int err = vfs_walk(t, AT_FDCWD, path, flags, &at);

	if (!err)
		path_put(&at);
	return err;
}

static int try_resolve(int dirfd, const char *path, u64 resolve)
{
	struct vfs_open_how how = {.flags = O_RDONLY, .resolve = resolve};
	int fd = vfs_openat2(t, dirfd, path, &how);

	if (fd >= 0)
		vfs_close(t, fd);
	return MIN(fd, 0);
}

static void begin(void)
{
	world_begin(&w);
	mkdir_at(t, "/d");
	mkdir_at(t, "/d/sub");
	make_file(t, "/d/file", "data");
	vfs_symlinkat(t, "file", AT_FDCWD, "/d/rel");
	vfs_symlinkat(t, "/d/file", AT_FDCWD, "/d/abs");
	vfs_symlinkat(t, "nowhere", AT_FDCWD, "/d/dangling");
	vfs_symlinkat(t, "loop", AT_FDCWD, "/d/loop");
	vfs_symlinkat(t, "sub", AT_FDCWD, "/d/todir");
}

TEST(empty_path_is_enoent)
{
	begin();
	CHECK_EQUAL(try_walk("", 0), -ENOENT);
	CHECK_EQUAL(try_walk("", WALK_EMPTY_PATH), 0);
	world_end(&w);
}

TEST(slashes_and_dots_do_not_count)
{
	begin();
	CHECK_EQUAL(try_walk("//d/.//./sub/../file", 0), 0);
	CHECK_EQUAL(try_walk("/../../d/file", 0), 0);
	CHECK_EQUAL(try_walk("/d/nothing/..", 0), -ENOENT);
	world_end(&w);
}

TEST(file_as_folder_is_enotdir)
{
	begin();
	CHECK_EQUAL(try_walk("/d/file/x", 0), -ENOTDIR);
	CHECK_EQUAL(try_walk("/d/file/", 0), -ENOTDIR);
	CHECK_EQUAL(try_walk("/d/file/.", 0), -ENOTDIR);
	CHECK_EQUAL(try_walk("/d/rel/", 0), -ENOTDIR);
	CHECK_EQUAL(try_walk("/d/todir/", 0), 0);
	world_end(&w);
}

TEST(name_longer_than_255_is_enametoolong)
{
	char name[300] = "/d/";

	begin();
	memset(name + 3, 'a', 255);
	CHECK_EQUAL(make_file(t, name, ""), 0);
	name[258] = 'a';
	CHECK_EQUAL(try_walk(name, 0), -ENAMETOOLONG);
	world_end(&w);
}

TEST(path_of_4096_bytes_is_enametoolong)
{
	static char path[VFS_PATH_MAX + 1];

	begin();
	memset(path, '/', VFS_PATH_MAX);
	CHECK_EQUAL(try_walk(path, 0), -ENAMETOOLONG);
	path[VFS_PATH_MAX - 1] = 0;
	CHECK_EQUAL(try_walk(path, 0), 0);
	world_end(&w);
}

TEST(links_are_followed_in_the_middle_and_at_the_end_if_asked)
{
	begin();
	CHECK_STRING(contents(t, "/d/rel"), "data");
	CHECK_STRING(contents(t, "/d/abs"), "data");
	CHECK_STRING(contents(t, "/d/todir/../rel"), "data");
	CHECK_EQUAL(try_walk("/d/dangling", 0), 0);
	CHECK_EQUAL(try_walk("/d/dangling", WALK_FOLLOW), -ENOENT);
	world_end(&w);
}

TEST(circle_of_links_is_eloop)
{
	begin();
	CHECK_EQUAL(try_walk("/d/loop", WALK_FOLLOW), -ELOOP);
	CHECK_EQUAL(try_walk("/d/loop/x", 0), -ELOOP);
	world_end(&w);
}

TEST(forty_links_are_followed_and_the_next_is_eloop)
{
	char name[16], target[16];

	begin();
	make_file(t, "/l0", "end");
	for (int i = 1; i <= 41; i++) {
		snprintf(name, sizeof(name), "/l%d", i);
		snprintf(target, sizeof(target), "l%d", i - 1);
		vfs_symlinkat(t, target, AT_FDCWD, name);
	}
	CHECK_STRING(contents(t, "/l40"), "end");
	CHECK_EQUAL(try_walk("/l41", WALK_FOLLOW), -ELOOP);
	world_end(&w);
}

TEST(search_permission_is_needed_on_the_way)
{
	struct vfs_task user;
	struct path at;

	begin();
	world_task(&w, &user, 5, 1000);
	vfs_fchmodat2(t, AT_FDCWD, "/d", 0644, 0);
	CHECK_EQUAL(vfs_walk(&user, AT_FDCWD, "/d/file", 0, &at), -EACCES);
	vfs_fchmodat2(t, AT_FDCWD, "/d", 0711, 0);
	REQUIRE(vfs_walk(&user, AT_FDCWD, "/d/file", 0, &at) == 0);
	path_put(&at);
	world_task_end(&user);
	world_end(&w);
}

TEST(relative_paths_begin_at_dirfd)
{
	int fd, file;

	begin();
	fd = vfs_openat(t, AT_FDCWD, "/d", O_PATH, 0);
	file = vfs_openat(t, fd, "file", O_RDONLY, 0);
	CHECK(file >= 0);
	CHECK_EQUAL(vfs_openat(t, file, "x", O_RDONLY, 0), -ENOTDIR);
	CHECK_EQUAL(vfs_openat(t, 77, "x", O_RDONLY, 0), -EBADF);
	CHECK_EQUAL(vfs_openat(t, 77, "/d/nothing", O_RDONLY, 0), -ENOENT);
	world_end(&w);
}

TEST(chroot_bounds_dotdot_and_absolute_links)
{
	begin();
	make_file(t, "/outside", "out");
	vfs_symlinkat(t, "/file", AT_FDCWD, "/d/absroot");
	CHECK_EQUAL(vfs_chroot(t, "/d"), 0);
	CHECK_EQUAL(vfs_chdir(t, "/"), 0);
	CHECK_EQUAL(try_walk("/../../outside", 0), -ENOENT);
	CHECK_STRING(contents(t, "/absroot"), "data");
	CHECK_STRING(contents(t, "../../file"), "data");
	world_end(&w);
}

TEST(getcwd_follows_renames_and_notices_removal)
{
	char buf[64];

	begin();
	CHECK_EQUAL(vfs_chdir(t, "/d/sub"), 0);
	vfs_renameat2(t, AT_FDCWD, "/d/sub", AT_FDCWD, "/moved", 0);
	CHECK_EQUAL(vfs_getcwd(t, buf, sizeof(buf)), 7);
	CHECK_STRING(buf, "/moved");
	CHECK_EQUAL(vfs_getcwd(t, buf, 6), -ERANGE);
	CHECK_EQUAL(vfs_unlinkat(t, AT_FDCWD, "/moved", AT_REMOVEDIR), 0);
	CHECK_EQUAL(vfs_getcwd(t, buf, sizeof(buf)), -ENOENT);
	CHECK_EQUAL(make_file(t, "new", ""), -ENOENT);
	world_end(&w);
}

TEST(getcwd_outside_of_the_root_is_unreachable)
{
	char buf[64];

	begin();
	CHECK_EQUAL(vfs_chdir(t, "/"), 0);
	CHECK_EQUAL(vfs_chroot(t, "/d"), 0);
	vfs_getcwd(t, buf, sizeof(buf));
	CHECK_STRING(buf, "(unreachable)/");
	world_end(&w);
}

TEST(beneath_refuses_to_leave)
{
	int d;

	begin();
	d = vfs_openat(t, AT_FDCWD, "/d", O_PATH, 0);
	CHECK_EQUAL(try_resolve(d, "file", RESOLVE_BENEATH), 0);
	CHECK_EQUAL(try_resolve(d, "sub/../file", RESOLVE_BENEATH), 0);
	CHECK_EQUAL(try_resolve(d, "../d/file", RESOLVE_BENEATH), -EXDEV);
	CHECK_EQUAL(try_resolve(d, "/d/file", RESOLVE_BENEATH), -EXDEV);
	CHECK_EQUAL(try_resolve(d, "abs", RESOLVE_BENEATH), -EXDEV);
	CHECK_EQUAL(try_resolve(d, "rel", RESOLVE_BENEATH), 0);
	world_end(&w);
}

TEST(in_root_makes_dirfd_the_root)
{
	int d;

	begin();
	d = vfs_openat(t, AT_FDCWD, "/d", O_PATH, 0);
	CHECK_EQUAL(try_resolve(d, "/file", RESOLVE_IN_ROOT), 0);
	CHECK_EQUAL(try_resolve(d, "../../file", RESOLVE_IN_ROOT), 0);
	CHECK_EQUAL(try_resolve(d, "abs", RESOLVE_IN_ROOT), -ENOENT);
	world_end(&w);
}

TEST(no_symlinks_and_no_xdev_are_kept)
{
	begin();
	CHECK_EQUAL(try_resolve(AT_FDCWD, "/d/rel", RESOLVE_NO_SYMLINKS), -ELOOP);
	CHECK_EQUAL(try_resolve(AT_FDCWD, "/d/todir/..", RESOLVE_NO_SYMLINKS), -ELOOP);
	CHECK_EQUAL(vfs_mount(t, "x", "/d/sub", "tmpfs", 0, NULL), 0);
	CHECK_EQUAL(try_resolve(AT_FDCWD, "/d/sub", RESOLVE_NO_XDEV), -EXDEV);
	CHECK_EQUAL(try_resolve(AT_FDCWD, "/d/file", RESOLVE_NO_XDEV), 0);
	CHECK_EQUAL(vfs_chdir(t, "/d/sub"), 0);
	CHECK_EQUAL(try_resolve(AT_FDCWD, "..", RESOLVE_NO_XDEV), -EXDEV);
	vfs_chdir(t, "/");
	world_end(&w);
}

TEST(cached_only_is_eagain_for_the_unknown)
{
	begin();
	CHECK_EQUAL(try_resolve(AT_FDCWD, "/d/file", RESOLVE_CACHED), 0);
	dentry_shrink(w.vfs, NULL);
	CHECK_EQUAL(try_resolve(AT_FDCWD, "/d/file", RESOLVE_CACHED), -EAGAIN);
	world_end(&w);
}

TEST(openat2_refuses_what_it_does_not_know)
{
	struct vfs_open_how how = {.flags = 1ull << 40};

	begin();
	CHECK_EQUAL(vfs_openat2(t, AT_FDCWD, "/d", &how), -EINVAL);
	how = (struct vfs_open_how){.mode = 0644};
	CHECK_EQUAL(vfs_openat2(t, AT_FDCWD, "/d", &how), -EINVAL);
	how = (struct vfs_open_how){.resolve = 0x40};
	CHECK_EQUAL(vfs_openat2(t, AT_FDCWD, "/d", &how), -EINVAL);
	how = (struct vfs_open_how){.resolve = RESOLVE_BENEATH | RESOLVE_IN_ROOT};
	CHECK_EQUAL(vfs_openat2(t, AT_FDCWD, "/d", &how), -EINVAL);
	world_end(&w);
}

TEST(dentry_cache_stays_within_its_limit)
{
	struct path at;
	char name[32];

	begin();
	w.vfs->max_unused = 50;
	for (int i = 0; i < 500; i++) {
		snprintf(name, sizeof(name), "/d/nothing%d", i);
		CHECK_EQUAL(vfs_walk(t, AT_FDCWD, name, 0, &at), -ENOENT);
	}
	CHECK(w.vfs->nunused <= 50);
	CHECK_STRING(contents(t, "/d/file"), "data");
	world_end(&w);
}
