/*
 * The reader of cpio archives (lib/cpio).
 */
#include "cpio_archive.h"

#include <cpio/cpio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unit.h>

TEST(entries_come_in_order_with_names_and_data)
{
	struct archive a = new_archive();
	struct cpio_entry e;
	struct cpio cpio;

	cpio_begin(&cpio, a.bytes, a.len);
	REQUIRE(cpio_next(&cpio, &e));
	CHECK_STRING(e.name, "etc");
	CHECK_EQUAL(e.mode, CPIO_TYPE_FOLDER | 0755);
	CHECK_EQUAL(e.size, 0);
	REQUIRE(cpio_next(&cpio, &e));
	CHECK_STRING(e.name, "./etc/motd");
	REQUIRE(e.size == 6);
	CHECK(memcmp(e.data, "hello\n", 6) == 0);
	CHECK(e.data == a.bytes + e.offset);
	CHECK_EQUAL(e.ino, 7);
	CHECK_EQUAL(e.uid, 1000);
	CHECK_EQUAL(e.gid, 100);
	CHECK_EQUAL(e.nlink, 1);
	CHECK_EQUAL(e.mtime, 0x5f000000);
	CHECK_EQUAL(e.rdev_major, 4);
	CHECK_EQUAL(e.rdev_minor, 64);
	REQUIRE(cpio_next(&cpio, &e));
	CHECK(!cpio_next(&cpio, &e));
	CHECK_EQUAL(cpio.error, CPIO_OK);
	CHECK(!cpio_next(&cpio, &e));
	free(a.bytes);
}

TEST(file_is_found_by_path_with_or_without_leading_dot_and_slash)
{
	static const char *const paths[] = {"etc/motd", "/etc/motd", "./etc/motd", "//./etc/motd"};
	struct archive a = new_archive();
	struct cpio_entry e;
	u64 where = 0;

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		CHECK_EQUAL(cpio_find(a.bytes, a.len, paths[i], &e, &where), CPIO_OK);
		CHECK_EQUAL(e.size, 6);
	}
	CHECK_EQUAL(cpio_find(a.bytes, a.len, "etc/mot", &e, &where), CPIO_NOT_FOUND);
	CHECK_EQUAL(cpio_find(a.bytes, a.len, "TRAILER!!!", &e, &where), CPIO_NOT_FOUND);
	free(a.bytes);
}

TEST(name_padded_with_nuls_brings_data_to_a_page)
{
	struct archive a = {0};
	struct cpio_entry e;
	u64 where;

	archive_add(&a, "boot/cpudriver", PAGE_SIZE - 110, CPIO_TYPE_FILE | 0755, "data");
	archive_add(&a, "TRAILER!!!", 0, 0, "");
	REQUIRE(cpio_find(a.bytes, a.len, "boot/cpudriver", &e, &where) == CPIO_OK);
	CHECK_STRING(e.name, "boot/cpudriver");
	CHECK_EQUAL(e.offset, PAGE_SIZE);
	CHECK(memcmp(e.data, "data", 4) == 0);
	free(a.bytes);
}

/* Check that @a is refused for @error at @offset; frees it. */
static void check_refused(struct archive a, enum cpio_error error, u64 offset)
{
	u64 where = ~0ul;

	CHECK_EQUAL(cpio_check(a.bytes, a.len, &where), error);
	CHECK_EQUAL(where, offset);
	free(a.bytes);
}

/* Where the second entry of new_archive() begins. */
#define SECOND ROUND_UP(110ul + sizeof("etc"), 4)

TEST(entry_without_magic_is_refused)
{
	struct archive a = new_archive();

	a.bytes[SECOND + 5] = '2';
	check_refused(a, CPIO_BAD_MAGIC, SECOND);
}

TEST(number_that_is_not_hexadecimal_is_refused)
{
	for (u32 at = 6; at < 110; at++) {
		struct archive a = new_archive();

		a.bytes[SECOND + at] = at % 2 ? 'g' : ' ';
		check_refused(a, CPIO_BAD_NUMBER, SECOND);
	}
}

TEST(name_without_an_end_is_refused)
{
	struct archive a = new_archive();

	a.bytes[SECOND + 110 + 10] = 'x';
	check_refused(a, CPIO_BAD_NAME, SECOND);
}

TEST(empty_name_is_refused)
{
	struct archive a = new_archive();

	a.bytes[SECOND + 110] = 0;
	check_refused(a, CPIO_BAD_NAME, SECOND);
	a = new_archive();
	memcpy(a.bytes + SECOND + 6 + 11 * 8, "00000000", 8);
	check_refused(a, CPIO_BAD_NAME, SECOND);
}

TEST(anything_but_nuls_behind_a_name_is_refused)
{
	struct archive a = new_archive();

	a.bytes[SECOND + 110 + 3] = 0;
	check_refused(a, CPIO_BAD_NAME, SECOND);
}

TEST(huge_sizes_are_refused)
{
	struct archive a = new_archive();

	memcpy(a.bytes + SECOND + 6 + 11 * 8, "FFFFFFFF", 8);
	check_refused(a, CPIO_TRUNCATED, SECOND);
	a = new_archive();
	memcpy(a.bytes + SECOND + 6 + 6 * 8, "FFFFFFFF", 8);
	check_refused(a, CPIO_TRUNCATED, SECOND);
}

TEST(archive_cut_anywhere_is_refused)
{
	struct archive a = new_archive();
	u64 trailer_end = a.len - 3; /* padding behind the trailer is not needed */

	for (u64 len = 0; len < trailer_end; len++) {
		struct archive cut = {.bytes = malloc(len + 1), .len = len};
		enum cpio_error err;
		u64 where = ~0ul;

		memcpy(cut.bytes, a.bytes, len);
		err = cpio_check(cut.bytes, len, &where);
		CHECK(err == CPIO_TRUNCATED || err == CPIO_NO_TRAILER);
		CHECK(where <= len + 3);
		free(cut.bytes);
	}
	free(a.bytes);
}

TEST(archive_without_trailer_is_refused)
{
	struct archive a = {0};
	struct cpio_entry e;
	u64 where = 0;

	archive_add(&a, "only", 0, CPIO_TYPE_FILE, "data");
	CHECK_EQUAL(cpio_find(a.bytes, a.len, "only", &e, &where), CPIO_OK);
	CHECK_EQUAL(cpio_find(a.bytes, a.len, "other", &e, &where), CPIO_NO_TRAILER);
	CHECK_EQUAL(where, a.len);
	check_refused(a, CPIO_NO_TRAILER, a.len);
}

TEST(nothing_is_no_archive)
{
	u64 where = 1;

	CHECK_EQUAL(cpio_check(NULL, 0, &where), CPIO_NO_TRAILER);
	CHECK_EQUAL(where, 0);
	CHECK_EQUAL(cpio_check("hello, world", 12, &where), CPIO_BAD_MAGIC);
}

TEST(error_ends_the_reading_for_good)
{
	struct archive a = new_archive();
	struct cpio_entry e;
	struct cpio cpio;

	a.bytes[SECOND] = 'x';
	cpio_begin(&cpio, a.bytes, a.len);
	CHECK(cpio_next(&cpio, &e));
	CHECK(!cpio_next(&cpio, &e));
	CHECK(!cpio_next(&cpio, &e));
	CHECK_EQUAL(cpio.error, CPIO_BAD_MAGIC);
	CHECK_EQUAL(cpio.error_offset, SECOND);
	free(a.bytes);
}

TEST(archive_of_the_cpio_program_is_read)
{
	FILE *f = popen("cd /etc && printf 'passwd\\ngroup\\n' | cpio -o -H newc --quiet", "r");
	u8 bytes[256 * KiB];
	struct cpio_entry e;
	size_t len;
	u64 where;

	REQUIRE(f != NULL);
	len = fread(bytes, 1, sizeof(bytes), f);
	REQUIRE(pclose(f) == 0);
	CHECK_EQUAL(cpio_check(bytes, len, &where), CPIO_OK);
	REQUIRE(cpio_find(bytes, len, "passwd", &e, &where) == CPIO_OK);
	CHECK(e.size > 5 && memcmp(e.data, "root:", 5) == 0);
	CHECK_EQUAL(e.mode, CPIO_TYPE_FILE | 0644);
}

TEST(every_error_has_words)
{
	for (int e = CPIO_OK; e <= CPIO_NOT_FOUND; e++)
		CHECK(strcmp(cpio_strerror((enum cpio_error)e), "has an unknown error") != 0);
}
