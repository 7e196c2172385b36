/*
 * The ELF reader (lib/elf): what it accepts, what it refuses and why, symbols.
 */
#include "elf_program.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <unit.h>

/* Free @p and say how it was judged. */
static enum elf_error judge_as(struct program *p, enum elf_policy policy)
{
	struct elf elf;
	enum elf_error err = elf_open(&elf, p, sizeof(*p), policy);

	free(p);
	return err;
}

static enum elf_error judge(struct program *p)
{
	return judge_as(p, ELF_NATIVE);
}

TEST(sound_program_is_accepted)
{
	struct program *p = new_program();
	struct elf elf;

	REQUIRE(elf_open(&elf, p, sizeof(*p), ELF_NATIVE) == ELF_OK);
	CHECK_EQUAL(elf.type, ELF_TYPE_EXEC);
	CHECK_EQUAL(elf.entry, TEXT + offsetof(struct program, text));
	CHECK_EQUAL(elf.low, TEXT);
	CHECK_EQUAL(elf.high, ROUND_UP(p->phdr[1].vaddr + 0x2000, PAGE_SIZE));
	free(p);
}

TEST(segments_come_in_order_and_by_type)
{
	struct program *p = new_program();
	struct elf_segment s;
	struct elf elf;
	u32 cursor = 0;

	REQUIRE(elf_open(&elf, p, sizeof(*p), ELF_NATIVE) == ELF_OK);
	REQUIRE(elf_next_segment(&elf, &cursor, ELF_PT_LOAD, &s));
	CHECK_EQUAL(s.vaddr, TEXT);
	CHECK_EQUAL(s.flags, ELF_PF_R | ELF_PF_X);
	REQUIRE(elf_next_segment(&elf, &cursor, ELF_PT_LOAD, &s));
	CHECK(elf_segment_data(&elf, &s) == p->data);
	CHECK_EQUAL(s.memsz, 0x2000);
	CHECK(!elf_next_segment(&elf, &cursor, ELF_PT_LOAD, &s));
	cursor = 0;
	CHECK(!elf_next_segment(&elf, &cursor, ELF_PT_TLS, &s));
	free(p);
}

TEST(program_headers_are_found_in_memory)
{
	struct program *p = new_program();
	struct elf elf;

	REQUIRE(elf_open(&elf, p, sizeof(*p), ELF_NATIVE) == ELF_OK);
	CHECK_EQUAL(elf_phdr_address(&elf), TEXT + sizeof(struct elf_header));
	p->phdr[0].offset = PAGE_SIZE;
	REQUIRE(elf_open(&elf, p, sizeof(*p), ELF_FOREIGN) == ELF_OK);
	CHECK_EQUAL(elf_phdr_address(&elf), 0);
	free(p);
}

TEST(interpreter_is_named)
{
	struct program *p = new_program();
	struct elf elf;

	REQUIRE(elf_open(&elf, p, sizeof(*p), ELF_NATIVE) == ELF_OK);
	CHECK(elf_interpreter(&elf) == NULL);
	p->header.phnum = 3;
	REQUIRE(elf_open(&elf, p, sizeof(*p), ELF_NATIVE) == ELF_OK);
	CHECK_STRING(elf_interpreter(&elf), "/lib/ld.so");
	free(p);
}

TEST(interpreter_without_an_end_is_refused)
{
	struct program *p = new_program();

	p->header.phnum = 3;
	p->phdr[2].filesz--;
	CHECK_EQUAL(judge(p), ELF_BAD_INTERPRETER);
}

TEST(interpreter_beyond_the_file_is_refused)
{
	struct program *p = new_program();

	p->header.phnum = 3;
	p->phdr[2].offset = sizeof(*p) - 4;
	CHECK_EQUAL(judge(p), ELF_TRUNCATED);
}

TEST(what_is_not_elf_is_refused)
{
	struct elf elf;

	CHECK_EQUAL(elf_open(&elf, "#!/bin/sh\n", 10, ELF_NATIVE), ELF_NOT_ELF);
	CHECK_EQUAL(elf_open(&elf, "\x7f", 1, ELF_NATIVE), ELF_NOT_ELF);
	CHECK_EQUAL(elf_open(&elf, NULL, 0, ELF_NATIVE), ELF_NOT_ELF);
}

TEST(other_kinds_of_elf_are_refused_by_name)
{
	struct program *p = new_program();

	p->header.ident[ELF_EI_CLASS] = 1;
	CHECK_EQUAL(judge(p), ELF_NOT_64);
	p = new_program();
	p->header.ident[ELF_EI_DATA] = 2;
	CHECK_EQUAL(judge(p), ELF_NOT_LITTLE);
	p = new_program();
	p->header.version = 2;
	CHECK_EQUAL(judge(p), ELF_BAD_VERSION);
	p = new_program();
	p->header.type = 1;
	CHECK_EQUAL(judge(p), ELF_NOT_PROGRAM);
	p = new_program();
	p->header.phentsize = 32;
	CHECK_EQUAL(judge(p), ELF_BAD_HEADER);
}

TEST(elf_of_another_machine_is_refused)
{
	struct program *p = new_program();

	p->header.machine = 183; /* AArch64 */
	CHECK_EQUAL(judge(p), ELF_OTHER_MACHINE);
	CHECK_STRING(elf_strerror(ELF_OTHER_MACHINE),
		     "is an ELF file of another machine; x86-64 is needed");
}

TEST(file_cut_anywhere_before_its_last_segment_ends_is_refused)
{
	struct program *p = new_program();
	struct elf elf;

	for (u64 len = 0; len < sizeof(*p); len++) {
		u8 *cut = malloc(len + 1); /* so that reading further is seen */

		memcpy(cut + 1, p, len);
		enum elf_error err = elf_open(&elf, cut + 1, len, ELF_NATIVE);

		if (err != (len < 4 ? ELF_NOT_ELF : ELF_TRUNCATED))
			CHECK_EQUAL(len, err);
		free(cut);
	}
	CHECK_EQUAL(judge(p), ELF_OK);
}

TEST(program_headers_beyond_the_file_are_refused)
{
	static const u64 offsets[] = {sizeof(struct program), ~0ul, ~0ul - 100, 1ul << 63};

	for (size_t i = 0; i < ARRAY_SIZE(offsets); i++) {
		struct program *p = new_program();

		p->header.phoff = offsets[i];
		CHECK_EQUAL(judge(p), ELF_TRUNCATED);
	}
}

TEST(file_with_nothing_to_load_is_refused)
{
	struct program *p = new_program();

	p->header.phnum = 0;
	CHECK_EQUAL(judge(p), ELF_NO_SEGMENT);
	p = new_program();
	p->phdr[0].type = ELF_PT_NOTE;
	p->phdr[1].type = ELF_PT_NOTE;
	CHECK_EQUAL(judge(p), ELF_NO_SEGMENT);
}

TEST(segment_with_impossible_numbers_is_refused)
{
	struct program *p = new_program();

	p->phdr[1].filesz = 0x3000;
	CHECK_EQUAL(judge(p), ELF_BAD_SIZE);
	p = new_program();
	p->phdr[1].vaddr = ROUND_DOWN(~0ul, PAGE_SIZE) + p->phdr[1].offset % PAGE_SIZE;
	CHECK_EQUAL(judge(p), ELF_BAD_ADDRESS);
	p = new_program();
	p->phdr[1].memsz = ~0ul;
	CHECK_EQUAL(judge(p), ELF_BAD_ADDRESS);
	p = new_program();
	p->phdr[1].offset = ~0ul - 8;
	CHECK_EQUAL(judge(p), ELF_TRUNCATED);
	p = new_program();
	p->phdr[1].vaddr++;
	CHECK_EQUAL(judge(p), ELF_BAD_ALIGNMENT);
	p = new_program();
	p->phdr[1].align = 24;
	CHECK_EQUAL(judge(p), ELF_BAD_ALIGNMENT);
}

TEST(segments_that_share_a_page_are_refused)
{
	struct program *p = new_program();

	p->phdr[0].memsz = 0x1001;
	CHECK_EQUAL(judge(p), ELF_OVERLAP);
	p = new_program();
	p->phdr[1].vaddr -= 0x10000;
	CHECK_EQUAL(judge(p), ELF_OVERLAP);
}

TEST(writable_code_is_refused_in_native_programs_only)
{
	struct program *p = new_program();

	p->phdr[0].flags |= ELF_PF_W;
	CHECK_EQUAL(judge(p), ELF_WRITABLE_CODE);
	p = new_program();
	p->phdr[0].flags |= ELF_PF_W;
	CHECK_EQUAL(judge_as(p, ELF_FOREIGN), ELF_OK);
}

TEST(entry_outside_code_is_refused_in_native_programs_only)
{
	struct program *p = new_program();

	p->header.entry = DATA + 0x10;
	CHECK_EQUAL(judge(p), ELF_BAD_ENTRY);
	p = new_program();
	p->header.entry = 0;
	CHECK_EQUAL(judge_as(p, ELF_FOREIGN), ELF_OK);
}

/* What function, and how far in, @addr is said to be in; "" if in none. */
static void check_symbol(const struct elf *elf, u64 addr, const char *wanted, u64 wanted_offset)
{
	const char *name = "";
	u64 offset = 0;

	elf_symbol_at(elf, addr, &name, &offset);
	CHECK_STRING(name, wanted);
	CHECK_EQUAL(offset, wanted_offset);
}

TEST(symbol_of_an_address_is_the_nearest_that_covers_it)
{
	struct program *p = new_program();
	struct elf elf;

	REQUIRE(elf_open(&elf, p, sizeof(*p), ELF_NATIVE) == ELF_OK);
	check_symbol(&elf, TEXT + 0x100, "first", 0);
	check_symbol(&elf, TEXT + 0x11f, "first", 0x1f);
	check_symbol(&elf, TEXT + 0x120, "", 0); /* behind a sized function, before any label */
	check_symbol(&elf, TEXT + 0x14f, "second", 0xf);
	check_symbol(&elf, TEXT + 0x151, "label", 1);
	check_symbol(&elf, TEXT + 0x7ff, "after", 0x69f);
	check_symbol(&elf, TEXT + 0x900, "", 0); /* in no segment */
	check_symbol(&elf, DATA + p->phdr[1].offset % PAGE_SIZE, "", 0);
	free(p);
}

TEST(symbol_is_found_by_name)
{
	struct program *p = new_program();
	struct elf elf;
	u64 addr = 0;

	REQUIRE(elf_open(&elf, p, sizeof(*p), ELF_NATIVE) == ELF_OK);
	CHECK(elf_symbol_named(&elf, "variable", &addr));
	CHECK_EQUAL(addr, DATA + 0x10);
	CHECK(elf_symbol_named(&elf, "label", &addr)); /* the defined one */
	CHECK_EQUAL(addr, TEXT + 0x150);
	CHECK(!elf_symbol_named(&elf, "none", &addr));
	free(p);
}

TEST(damaged_symbol_table_means_no_symbols)
{
	for (int damage = 0; damage < 6; damage++) {
		struct program *p = new_program();
		struct elf elf;
		u64 addr;

		if (damage == 0)
			p->section[1].size = sizeof(*p);
		else if (damage == 1)
			p->section[1].link = 7;
		else if (damage == 2)
			p->section[2].offset = ~0ul;
		else if (damage == 3)
			p->section[2].size--; /* the last name has no end */
		else if (damage == 4)
			p->header.shoff = ~0ul;
		else
			p->section[1].entsize = 8;
		CHECK_EQUAL(elf_open(&elf, p, sizeof(*p), ELF_NATIVE), ELF_OK);
		CHECK(!elf_symbol_named(&elf, "first", &addr));
		free(p);
	}
}

TEST(name_beyond_the_string_table_is_no_symbol)
{
	struct program *p = new_program();
	const char *name;
	struct elf elf;
	u64 offset;

	p->symbol[1].name = 0x7fffffff;
	REQUIRE(elf_open(&elf, p, sizeof(*p), ELF_NATIVE) == ELF_OK);
	CHECK(!elf_symbol_at(&elf, TEXT + 0x100, &name, &offset));
	free(p);
}

/* A function that the next test looks for in the file that this program came from. */
__attribute__((noinline, used)) void elf_test_landmark(void);

void elf_test_landmark(void)
{
}

TEST(program_of_the_build_host_is_read)
{
	int fd = open("/proc/self/exe", O_RDONLY);
	const char *name = "";
	struct elf_segment s;
	struct stat st;
	struct elf elf;
	u64 addr = 0, offset = 1;
	u32 cursor = 0;
	void *file;

	REQUIRE(fd >= 0 && fstat(fd, &st) == 0);
	file = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	REQUIRE(file != MAP_FAILED);
	REQUIRE(elf_open(&elf, file, (u64)st.st_size, ELF_NATIVE) == ELF_OK);
	CHECK(elf_next_segment(&elf, &cursor, ELF_PT_GNU_STACK, &s));
	CHECK(strstr(elf_interpreter(&elf), "ld-linux-x86-64") != NULL);
	REQUIRE(elf_symbol_named(&elf, "elf_test_landmark", &addr));
	CHECK(elf_symbol_at(&elf, addr, &name, &offset));
	CHECK_STRING(name, "elf_test_landmark");
	CHECK_EQUAL(offset, 0);
	munmap(file, (size_t)st.st_size);
	close(fd);
}

TEST(every_error_has_words)
{
	for (int e = ELF_OK; e <= ELF_BAD_INTERPRETER; e++)
		CHECK(strcmp(elf_strerror((enum elf_error)e), "has an unknown error") != 0);
	CHECK_STRING(elf_strerror((enum elf_error)99), "has an unknown error");
}
