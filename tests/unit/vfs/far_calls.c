/*
 * Files of other cores: one behaviour each.
 */
#include "far_world.h"

#include <stdio.h>
#include <string.h>
#include <vfs/xattr.h>

static void read_elsewhere(void)
{
	char text[64];
	int fd;

	CHECK(make_file(on(0), "/f", "hello") >= 0);
	CHECK_STRING(contents(on(1), "/f"), "hello");
	CHECK(make_file(on(2), "/g", "made by 2") >= 0);
	CHECK_STRING(contents(on(0), "/g"), "made by 2");
	CHECK_STRING(contents(on(3), "/g"), "made by 2");
	fd = vfs_openat(on(3), AT_FDCWD, "/g", O_RDWR | O_APPEND, 0);
	CHECK_EQUAL(put(on(3), fd, ", more"), 6);
	vfs_close(on(3), fd);
	CHECK_STRING(contents(on(1), "/g"), "made by 2, more");
	CHECK_EQUAL(vfs_truncate(on(0), "/g", 4), 0);
	fd = vfs_openat(on(2), AT_FDCWD, "/g", O_RDONLY, 0);
	CHECK_EQUAL(get(on(2), fd, text, sizeof(text)), 4);
	vfs_close(on(2), fd);
	CHECK_EQUAL(vfs_symlinkat(on(1), "g", AT_FDCWD, "/link"), 0);
	CHECK_STRING(contents(on(3), "/link"), "made");
}

TEST(a_file_is_read_and_written_from_every_core)
{
	far_world(read_elsewhere);
}

/* Make, write, read, look at and take away a file in a directory that @core made itself. */
static void work_in_own(u32 core, const char *dir)
{
	char path[64];
	struct vfs_stat st;

	snprintf(path, sizeof(path), "%s/file", dir);
	CHECK(make_file(on(core), path, "some text") >= 0);
	CHECK_STRING(contents(on(core), path), "some text");
	CHECK_EQUAL(vfs_statat(on(core), AT_FDCWD, path, 0, &st), 0);
	CHECK_EQUAL(st.size, 9);
	CHECK_EQUAL(vfs_unlinkat(on(core), AT_FDCWD, path, 0), 0);
}

static void own_directories(void)
{
	u64 before;

	CHECK_EQUAL(mkdir_at(on(1), "/one"), 0);
	CHECK_EQUAL(mkdir_at(on(2), "/two"), 0);
	work_in_own(1, "/one");
	work_in_own(2, "/two");
	before = sent_by_all();
	for (u32 i = 0; i < 100; i++) {
		work_in_own(1, "/one");
		work_in_own(2, "/two");
	}
	CHECK_EQUAL(sent_by_all() - before, 0);
}

TEST(cores_that_work_in_directories_of_their_own_send_no_message)
{
	far_world(own_directories);
}

static void walks(void)
{
	struct vfs_stat st;
	struct path at;
	u64 before;

	CHECK_EQUAL(mkdir_at(on(0), "/bin"), 0);
	CHECK_EQUAL(mkdir_at(on(0), "/bin/deep"), 0);
	CHECK(make_file(on(0), "/bin/deep/sh", "#!") >= 0);
	CHECK_EQUAL(vfs_symlinkat(on(0), "deep/sh", AT_FDCWD, "/bin/link"), 0);
	CHECK_EQUAL(vfs_statat(on(1), AT_FDCWD, "/bin/link", 0, &st), 0);
	CHECK_EQUAL(vfs_faccessat2(on(1), AT_FDCWD, "/none", 0, 0), -ENOENT);
	before = sent_by_all();
	for (u32 i = 0; i < 10; i++) {
		CHECK_EQUAL(vfs_walk(on(1), AT_FDCWD, "/bin/link", WALK_FOLLOW, &at), 0);
		path_put(&at);
		CHECK_EQUAL(vfs_faccessat2(on(1), AT_FDCWD, "/none", 0, 0), -ENOENT);
	}
	CHECK_EQUAL(sent_by_all() - before, 0);
	CHECK(make_file(on(2), "/none", "now") >= 0);
	CHECK_EQUAL(vfs_faccessat2(on(1), AT_FDCWD, "/none", 0, 0), 0);
}

TEST(a_walk_over_names_that_are_cached_sends_no_message)
{
	far_world(walks);
}

static void modes(void)
{
	struct vfs_task user;

	CHECK_EQUAL(mkdir_at(on(0), "/d"), 0);
	CHECK(make_file(on(0), "/d/f", "x") >= 0);
	world_task(&cores[1], &user, 7, 1000);
	CHECK_EQUAL(vfs_faccessat2(&user, AT_FDCWD, "/d/f", 4, 0), 0);
	CHECK_EQUAL(vfs_fchmodat2(on(2), AT_FDCWD, "/d", 0700, 0), 0);
	CHECK_EQUAL(vfs_faccessat2(&user, AT_FDCWD, "/d/f", 4, 0), -EACCES);
	CHECK_EQUAL(vfs_fchownat(on(0), AT_FDCWD, "/d", 1000, 1000, 0), 0);
	CHECK_EQUAL(vfs_faccessat2(&user, AT_FDCWD, "/d/f", 4, 0), 0);
	world_task_end(&user);
}

TEST(a_change_of_mode_or_owner_counts_everywhere_when_it_has_returned)
{
	far_world(modes);
}

static void shared_directory(void)
{
	char path[32];
	u64 before;

	CHECK_EQUAL(mkdir_at(on(0), "/tmp"), 0);
	CHECK(make_file(on(1), "/tmp/x", "") >= 0);
	CHECK(make_file(on(2), "/tmp/y", "") >= 0);
	before = sent_by_all();
	for (u32 i = 0; i < 50; i++) {
		snprintf(path, sizeof(path), "/tmp/%u", i);
		CHECK(make_file(on(1 + i % 2), path, "") >= 0);
		CHECK_EQUAL(vfs_unlinkat(on(1 + i % 2), AT_FDCWD, path, 0), 0);
	}
	/* Lookup, link, unlink and their answers, and letting go. */
	CHECK(sent_by_all() - before <= 50 * 7);
}

TEST(making_and_removing_a_file_in_a_shared_directory_takes_few_messages)
{
	far_world(shared_directory);
}

static void places(void)
{
	struct far_place place;
	struct dentry *dentry;
	struct path at;
	char names[256];

	CHECK_EQUAL(mkdir_at(on(1), "/a"), 0);
	CHECK_EQUAL(mkdir_at(on(0), "/a/b"), 0);
	CHECK_EQUAL(vfs_walk(on(2), AT_FDCWD, "/a/b", 0, &at), 0);
	CHECK_EQUAL(vfs_place_export(at.dentry, &place, names, sizeof(names)), 0);
	CHECK_EQUAL(place.len, 3);
	CHECK(!memcmp(names, "a/b", 3));
	for (u32 i = 0; i < CORES; i++) {
		CHECK_EQUAL(vfs_place_import(on(i), &place, names, &dentry), 0);
		CHECK_EQUAL(dentry->inode->ino, at.dentry->inode->ino);
		CHECK_STRING(dentry->name, "b");
		dentry_put(dentry);
	}
	path_put(&at);
}

TEST(a_place_is_told_to_another_core)
{
	far_world(places);
}

static void pages_of_others(void)
{
	struct file *here, *there;
	struct page *a, *b;
	int fd;

	CHECK(make_file(on(0), "/f", "shared") >= 0);
	CHECK_EQUAL(vfs_open_file(on(0), AT_FDCWD, "/f", O_RDWR, 0, &here), 0);
	CHECK_EQUAL(vfs_open_file(on(1), AT_FDCWD, "/f", O_RDWR, 0, &there), 0);
	CHECK_EQUAL(file_page(here, 0, false, &a), 0);
	CHECK_EQUAL(file_page(there, 0, false, &b), 0);
	CHECK(a && b && a->data == b->data);
	page_put(cores[0].vfs, a);
	page_put(cores[1].vfs, b);
	CHECK_EQUAL(file_page(there, 1, false, &b), -ERANGE);
	fd = vfs_openat(on(2), AT_FDCWD, "/f", O_WRONLY, 0);
	CHECK_EQUAL(vfs_ftruncate(on(2), fd, 8192), 0);
	vfs_close(on(2), fd);
	CHECK_EQUAL(file_page(there, 1, false, &b), 0);
	CHECK(!b);
	CHECK_EQUAL(file_page(there, 1, true, &b), 0);
	page_put(cores[1].vfs, b);
	CHECK_EQUAL(vfs_truncate(on(0), "/f", 0), 0);
	CHECK_EQUAL(file_pages(there, 0, 1, &b), 0);
	CHECK_EQUAL(file_page(there, 0, false, &b), -ERANGE);
	file_put(here);
	file_put(there);
}

TEST(a_page_of_a_file_is_the_same_memory_on_every_core_until_the_file_is_cut)
{
	far_world(pages_of_others);
}

static void running(void)
{
	struct file *program, *again;
	u64 before;
	int fd;

	CHECK_EQUAL(make_file(on(0), "/p", "#!"), 0);
	CHECK_EQUAL(vfs_fchmodat2(on(0), AT_FDCWD, "/p", 0755, 0), 0);
	CHECK_EQUAL(vfs_open_exec(on(1), AT_FDCWD, "/p", 0, &program), 0);
	CHECK_EQUAL(vfs_openat(on(0), AT_FDCWD, "/p", O_WRONLY, 0), -ETXTBSY);
	CHECK_EQUAL(vfs_openat(on(2), AT_FDCWD, "/p", O_WRONLY, 0), -ETXTBSY);
	CHECK_EQUAL(vfs_truncate(on(3), "/p", 0), -ETXTBSY);
	before = sent_by_all();
	CHECK_EQUAL(vfs_open_exec(on(1), AT_FDCWD, "/p", 0, &again), 0);
	file_put_exec(again);
	CHECK_EQUAL(sent_by_all() - before, 0);
	file_put_exec(program);
	fd = vfs_openat(on(2), AT_FDCWD, "/p", O_WRONLY, 0);
	CHECK(fd >= 0);
	CHECK_EQUAL(vfs_open_exec(on(0), AT_FDCWD, "/p", 0, &program), -ETXTBSY);
	CHECK_EQUAL(vfs_open_exec(on(1), AT_FDCWD, "/p", 0, &program), -ETXTBSY);
	vfs_close(on(2), fd);
	settle();
	CHECK_EQUAL(vfs_open_exec(on(1), AT_FDCWD, "/p", 0, &program), 0);
	file_put_exec(program);
}

TEST(a_program_that_runs_on_another_core_is_not_written)
{
	far_world(running);
}

static void attributes(void)
{
	struct vfs_statfs here, there;
	char value[16];

	CHECK(make_file(on(1), "/f", "x") >= 0);
	CHECK_EQUAL(vfs_xattr_get(on(2), AT_FDCWD, "/f", 0, "user.a", value, 16), -ENODATA);
	CHECK_EQUAL(vfs_xattr_set(on(0), AT_FDCWD, "/f", 0, "user.a", "one", 3, 0), 0);
	CHECK_EQUAL(vfs_xattr_get(on(2), AT_FDCWD, "/f", 0, "user.a", value, 16), 3);
	CHECK(!memcmp(value, "one", 3));
	CHECK_EQUAL(vfs_xattr_get(on(2), AT_FDCWD, "/f", 0, "user.a", NULL, 0), 3);
	CHECK_EQUAL(vfs_xattr_get(on(2), AT_FDCWD, "/f", 0, "user.a", value, 2), -ERANGE);
	CHECK_EQUAL(vfs_xattr_list(on(3), AT_FDCWD, "/f", 0, value, 16), 7);
	CHECK_STRING(value, "user.a");
	CHECK_EQUAL(vfs_xattr_remove(on(3), AT_FDCWD, "/f", 0, "user.a"), 0);
	CHECK_EQUAL(vfs_xattr_remove(on(1), AT_FDCWD, "/f", 0, "user.a"), -ENODATA);
	CHECK_EQUAL(vfs_statfs(on(0), "/", &here), 0);
	CHECK_EQUAL(vfs_statfs(on(2), "/", &there), 0);
	CHECK_EQUAL(here.bfree, there.bfree);
	CHECK_EQUAL(here.fsid, there.fsid);
}

TEST(attributes_and_room_are_told_by_the_home)
{
	far_world(attributes);
}

static void death(void)
{
	struct vfs_stat st;

	CHECK(make_file(on(3), "/of3", "gone") >= 0);
	CHECK(make_file(on(1), "/of1", "stays") >= 0);
	CHECK_EQUAL(mkdir_at(on(3), "/dir3"), 0);
	CHECK_STRING(contents(on(2), "/of3"), "gone");
	CHECK_STRING(contents(on(3), "/of1"), "stays");
	shard_loopback_kill(lo, 3);
	settle();
	CHECK_EQUAL(vfs_statat(on(2), AT_FDCWD, "/of3", 0, &st), -EIO);
	CHECK_EQUAL(vfs_mkdirat(on(1), AT_FDCWD, "/dir3/x", 0755), -EIO);
	CHECK_STRING(contents(on(0), "/of1"), "stays");
	CHECK_EQUAL(vfs_unlinkat(on(1), AT_FDCWD, "/of3", 0), 0);
	CHECK_EQUAL(vfs_statat(on(2), AT_FDCWD, "/of3", 0, &st), -ENOENT);
}

TEST(a_core_that_dies_takes_its_files_and_nothing_else)
{
	far_world(death);
}
