/*
 * Random changes of files and trees, against slow and obvious models: a file is an array of bytes,
 * a tree a flat list of names. Same seed, same row of changes: SKERRY_SEED and SKERRY_STEPS in the
 * environment choose another.
 */
#include "tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX (5 * 4096)

static struct world w;
static struct vfs_task *const t = &w.task;
static u64 seed;

static u32 pick(u32 n)
{
	return (u32)(unit_random(&seed) >> 33) % n;
}

static u64 from_environment(const char *name, u64 otherwise)
{
	const char *value = getenv(name);

	return value ? strtoull(value, NULL, 0) : otherwise;
}

/* --- One file: as fsx does --- */

static char model[FILE_MAX], data[FILE_MAX];
static size_t model_size;

static void check_contents(int fd, u64 step)
{
	struct uio uio;
	u32 from = pick(FILE_MAX), len = pick(FILE_MAX - from) + 1;
	size_t want = from < model_size ? MIN(len, model_size - from) : 0;

	uio_kernel(&uio, data, len);
	CHECK_EQUAL(vfs_pread(t, fd, &uio, from, 0), want);
	if (memcmp(data, model + from, want)) {
		printf("contents differ at step %lu of seed\n", step);
		CU_FAIL_FATAL("contents differ");
	}
}

static void write_some(int fd)
{
	struct uio uio;
	u32 from = pick(FILE_MAX - 1), len = pick(MIN(FILE_MAX - from, 6000)) + 1;

	for (u32 i = 0; i < len; i++)
		data[i] = (char)unit_random(&seed);
	uio_kernel(&uio, data, len);
	CHECK_EQUAL(vfs_pwrite(t, fd, &uio, from, 0), len);
	memcpy(model + from, data, len);
	model_size = MAX(model_size, from + len);
}

static void truncate_some(int fd)
{
	u32 size = pick(FILE_MAX + 1);

	CHECK_EQUAL(vfs_ftruncate(t, fd, size), 0);
	if (size < model_size)
		memset(model + size, 0, model_size - size);
	model_size = size;
}

static void punch_some(int fd)
{
	u32 from = pick(FILE_MAX - 1), len = pick(FILE_MAX - from) + 1;

	CHECK_EQUAL(vfs_fallocate(t, fd, 3, from, len), 0);
	memset(model + from, 0, len);
}

static void allocate_some(int fd)
{
	u32 from = pick(FILE_MAX - 1), len = pick(FILE_MAX - from) + 1;

	CHECK_EQUAL(vfs_fallocate(t, fd, 0, from, len), 0);
	model_size = MAX(model_size, from + len);
}

TEST(random_changes_of_a_file_match_an_array)
{
	u64 steps = from_environment("SKERRY_STEPS", 200000);
	int fd;

	seed = from_environment("SKERRY_SEED", 0x5eed);
	world_begin(&w);
	memset(model, 0, sizeof(model));
	model_size = 0;
	fd = vfs_openat(t, AT_FDCWD, "/f", O_RDWR | O_CREAT, 0600);
	for (u64 i = 0; i < steps; i++) {
		u32 what = pick(16);
		struct vfs_stat st;

		if (what < 6)
			check_contents(fd, i);
		else if (what < 11)
			write_some(fd);
		else if (what < 13)
			truncate_some(fd);
		else if (what < 15)
			punch_some(fd);
		else
			allocate_some(fd);
		vfs_fstat(t, fd, &st);
		REQUIRE(st.size == model_size);
	}
	vfs_close(t, fd);
	world_end(&w);
}

/* --- A tree: tree.c --- */

TEST(random_changes_of_a_tree_match_a_list)
{
	u64 steps = from_environment("SKERRY_STEPS", 800000);

	world_begin(&w);
	tree_begin(from_environment("SKERRY_SEED", 0x5eed));
	for (u64 i = 0; i < steps; i++) {
		tree_step(t, i);
		if (i % 64 == 0)
			tree_check(t);
		if (i % 1024 == 0)
			dentry_shrink(w.vfs, NULL);
	}
	world_end(&w);
}
