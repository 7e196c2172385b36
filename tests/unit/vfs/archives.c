/*
 * The initramfs: what archives become, and what is wrong with bad ones.
 */
#include "world.h"

#include <string.h>
#include <sys/mount.h>
#include <zlib.h>

static struct world w;
static struct vfs_task *const t = &w.task;

static int mnt(const char *at, const char *type, u64 flags, const char *options)
{
	return vfs_mount(t, "none", at, type, flags, options);
}

static void begin(void)
{
	world_begin(&w);
	mkdir_at(t, "/m");
}

static char archive[65536];
static size_t archive_len;

static void entry(const char *name, u32 mode, u32 ino, u32 nlink, const char *data)
{
	size_t namesize = strlen(name) + 1, len = strlen(data);

	archive_len += (size_t)sprintf(archive + archive_len,
				       "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X",
				       ino, mode, 3u, 4u, nlink, 1000u, (u32)len, 0u, 0u, 1u, 3u,
				       (u32)namesize, 0u);
	memcpy(archive + archive_len, name, namesize);
	archive_len = ROUND_UP(archive_len + namesize, 4ul);
	memcpy(archive + archive_len, data, len);
	archive_len = ROUND_UP(archive_len + len, 4ul);
}

static int unpack(char *message)
{
	entry("TRAILER!!!", 0, 0, 1, "");
	return vfs_unpack(t, archive, archive_len, message, 200);
}

/* Replace the archive by its gzip form, which begins at @from: one block, stored (RFC 1951, 3.2.4).
 */
static void pack(size_t from)
{
	static char packed[65536];
	u32 len = (u32)(archive_len - from);
	u32 sum = (u32)crc32(0, (const u8 *)archive + from, len);
	u8 head[15] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 1};

	head[11] = (u8)len;
	head[12] = (u8)(len >> 8);
	head[13] = (u8)~len;
	head[14] = (u8)(~len >> 8);
	memcpy(packed, head, sizeof(head));
	memcpy(packed + sizeof(head), archive + from, len);
	memcpy(packed + sizeof(head) + len, &sum, 4);
	memcpy(packed + sizeof(head) + len + 4, &len, 4);
	archive_len = from + sizeof(head) + len + 8;
	memcpy(archive + from, packed, archive_len - from);
}

static void begin_archive(void)
{
	begin();
	memset(archive, 0, sizeof(archive));
	archive_len = 0;
}

TEST(archive_becomes_files)
{
	struct vfs_stat st;
	char message[200];

	begin_archive();
	entry(".", S_IFDIR | 0755, 1, 2, "");
	entry("bin", S_IFDIR | 0750, 2, 2, "");
	entry("bin/sh", S_IFREG | 04755, 3, 1, "#!shell");
	entry("deep/down/file", S_IFREG | 0600, 4, 1, "here");
	entry("link", S_IFLNK | 0777, 5, 1, "bin/sh");
	entry("one", S_IFREG | 0644, 6, 2, "");
	entry("two", S_IFREG | 0644, 6, 2, "both");
	entry("null", S_IFCHR | 0666, 7, 1, "");
	CHECK_EQUAL(unpack(message), 0);
	CHECK_STRING(message, "");
	CHECK_EQUAL(mode_of(t, "/bin"), S_IFDIR | 0750);
	CHECK_EQUAL(mode_of(t, "/bin/sh"), S_IFREG | 04755);
	CHECK_STRING(contents(t, "/link"), "#!shell");
	CHECK_STRING(contents(t, "/deep/down/file"), "here");
	CHECK_STRING(contents(t, "/one"), "both");
	vfs_statat(t, AT_FDCWD, "/two", 0, &st);
	CHECK_EQUAL(st.nlink, 2);
	CHECK_EQUAL(st.uid, 3);
	CHECK_EQUAL(st.gid, 4);
	CHECK_EQUAL(st.mtime.sec, 1000);
	vfs_statat(t, AT_FDCWD, "/bin", 0, &st);
	CHECK_EQUAL(st.mtime.sec, 1000);
	vfs_statat(t, AT_FDCWD, "/null", 0, &st);
	CHECK_EQUAL(st.rdev, VFS_DEV(1, 3));
	world_end(&w);
}

TEST(archive_cannot_leave_the_root)
{
	char message[200];

	begin_archive();
	mkdir_at(t, "/jail");
	make_file(t, "/outside", "safe");
	CHECK_EQUAL(vfs_chdir(t, "/jail"), 0);
	CHECK_EQUAL(vfs_chroot(t, "/jail"), 0);
	entry("../../outside", S_IFREG | 0644, 1, 1, "changed");
	entry("up", S_IFLNK | 0777, 2, 1, "../..");
	entry("up/outside2", S_IFREG | 0644, 3, 1, "changed");
	CHECK_EQUAL(unpack(message), 0);
	CHECK_STRING(names_in(t, "/"), "outside outside2 up ");
	world_end(&w);
}

TEST(bad_archive_is_named_by_place)
{
	char message[200];

	begin_archive();
	entry("good", S_IFREG | 0644, 1, 1, "x");
	entry("bad", 0170000, 2, 1, "x");
	CHECK_EQUAL(unpack(message), -EINVAL);
	CHECK(strstr(message, "'bad' at offset") != NULL);
	CHECK_STRING(contents(t, "/good"), "x");
	CHECK_EQUAL(vfs_unpack(t, archive, 50, message, sizeof(message)), -EINVAL);
	CHECK(strstr(message, "offset 0: ") != NULL);
	world_end(&w);
}

TEST(archive_that_does_not_fit_is_enospc)
{
	char message[200];

	begin_archive();
	CHECK_EQUAL(mnt("/m", "tmpfs", 0, "size=4k"), 0);
	CHECK_EQUAL(vfs_chdir(t, "/m"), 0);
	entry("a", S_IFREG | 0644, 1, 1, "x");
	entry("b", S_IFREG | 0644, 2, 1, "x");
	CHECK_EQUAL(unpack(message), -ENOSPC);
	CHECK(strstr(message, "'b' at offset") != NULL);
	world_end(&w);
}

TEST(archives_follow_each_other_with_zeros_between)
{
	char message[200];

	begin_archive();
	entry("a", S_IFREG | 0644, 1, 2, "first");
	entry("TRAILER!!!", 0, 0, 1, "");
	archive_len += 512;
	entry("b", S_IFREG | 0644, 1, 2, "second"); /* another file of the same number */
	CHECK_EQUAL(unpack(message), 0);
	CHECK_STRING(contents(t, "/a"), "first");
	CHECK_STRING(contents(t, "/b"), "second");
	world_end(&w);
}

TEST(later_archive_replaces_files_of_an_earlier_one)
{
	char message[200];

	begin_archive();
	entry("f", S_IFREG | 0644, 1, 1, "long ago");
	entry("d", S_IFLNK | 0777, 2, 1, "f");
	entry("TRAILER!!!", 0, 0, 1, "");
	entry("f", S_IFREG | 0600, 1, 1, "now");
	entry("d", S_IFDIR | 0755, 2, 2, "");
	CHECK_EQUAL(unpack(message), 0);
	CHECK_STRING(contents(t, "/f"), "now");
	CHECK_EQUAL(mode_of(t, "/f"), S_IFREG | 0600);
	CHECK_EQUAL(mode_of(t, "/d"), S_IFDIR | 0755);
	world_end(&w);
}

TEST(compressed_archive_follows_a_plain_one)
{
	char message[200];
	size_t from;

	begin_archive();
	entry("early", S_IFREG | 0644, 1, 1, "microcode");
	entry("TRAILER!!!", 0, 0, 1, "");
	from = archive_len;
	entry("bin", S_IFDIR | 0755, 2, 2, "");
	entry("bin/sh", S_IFREG | 0755, 3, 1, "#!shell");
	entry("TRAILER!!!", 0, 0, 1, "");
	pack(from);
	CHECK_EQUAL(vfs_unpack(t, archive, archive_len, message, sizeof(message)), 0);
	CHECK_STRING(message, "");
	CHECK_STRING(contents(t, "/early"), "microcode");
	CHECK_STRING(contents(t, "/bin/sh"), "#!shell");
	world_end(&w);
}

TEST(bad_entry_of_a_compressed_archive_is_named_by_place)
{
	char message[200];

	begin_archive();
	entry("good", S_IFREG | 0644, 1, 1, "x");
	entry("bad", 0170000, 2, 1, "x");
	pack(0);
	CHECK_EQUAL(vfs_unpack(t, archive, archive_len, message, sizeof(message)), -EINVAL);
	CHECK(strstr(message, "'bad' at offset 120 of what is compressed from byte 0") != NULL);
	world_end(&w);
}

TEST(damaged_compressed_data_are_told)
{
	char message[200];

	begin_archive();
	entry("f", S_IFREG | 0644, 1, 1, "text");
	entry("TRAILER!!!", 0, 0, 1, "");
	pack(0);
	archive[archive_len - 6] ^= 1; /* of the sum */
	CHECK_EQUAL(vfs_unpack(t, archive, archive_len, message, sizeof(message)), -EINVAL);
	CHECK(strstr(message, "offset 0, gzip: ") != NULL);
	CHECK_EQUAL(vfs_unpack(t, "\3757zXZ", 6, message, sizeof(message)), -EINVAL);
	CHECK(strstr(message, "xz") != NULL);
	CHECK_EQUAL(vfs_unpack(t, "what?", 5, message, sizeof(message)), -EINVAL);
	CHECK(strstr(message, "neither") != NULL);
	world_end(&w);
}

TEST(archive_that_ends_early_is_told_by_the_name_of_its_last_file)
{
	char message[200];

	begin_archive();
	entry("whole", S_IFREG | 0644, 1, 1, "x");
	entry("half", S_IFREG | 0644, 2, 1, "a text of some length");
	CHECK_EQUAL(vfs_unpack(t, archive, archive_len, message, sizeof(message)), -EINVAL);
	CHECK(strstr(message, "closing") != NULL);
	CHECK_EQUAL(vfs_unpack(t, archive, archive_len - 8, message, sizeof(message)), -EINVAL);
	CHECK(strstr(message, "'half' at offset 120: ") != NULL);
	world_end(&w);
}

TEST(empty_image_is_an_empty_root)
{
	static const char zeros[64];
	char message[200];

	begin_archive();
	CHECK_EQUAL(vfs_unpack(t, zeros, 0, message, sizeof(message)), 0);
	CHECK_EQUAL(vfs_unpack(t, zeros, sizeof(zeros), message, sizeof(message)), 0);
	world_end(&w);
}
