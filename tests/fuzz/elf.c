/*
 * Fuzzing the ELF reader: whatever elf_open() accepts must be safe to use in every way.
 */
#include "fuzz.h"

#include <elf/elf.h>
#include <elf_program.h>
#include <stdlib.h>
#include <string.h>

static void use_segments(const struct elf *elf, u32 type)
{
	struct elf_segment s;
	u32 cursor = 0;
	u64 end = 0;

	while (elf_next_segment(elf, &cursor, type, &s)) {
		const void *data = elf_segment_data(elf, &s);

		if (data)
			fuzz_touch(data, s.filesz);
		if (type != ELF_PT_LOAD)
			continue;
		MUST(data != NULL && s.filesz <= s.memsz);
		MUST(s.memsz == 0 || (s.vaddr >= elf->low && s.vaddr + s.memsz <= elf->high));
		MUST(s.memsz == 0 || s.vaddr >= end);
		end = s.memsz ? s.vaddr + s.memsz : end;
	}
}

static void use_symbols(const struct elf *elf)
{
	const u64 addrs[] = {0, elf->entry, elf->low, elf->high, ~0ul};
	const char *name;
	u64 offset, addr;

	for (size_t i = 0; i < ARRAY_SIZE(addrs); i++) {
		if (!elf_symbol_at(elf, addrs[i], &name, &offset))
			continue;
		MUST(offset <= addrs[i]);
		fuzz_touch(name, strlen(name) + 1);
		MUST(elf_symbol_named(elf, name, &addr));
	}
}

static void open_as(const u8 *data, size_t len, enum elf_policy policy)
{
	struct elf elf;
	enum elf_error err = elf_open(&elf, data, len, policy);
	const char *interpreter;

	MUST(strcmp(elf_strerror(err), "has an unknown error") != 0);
	if (err)
		return;
	MUST(elf.low < elf.high && elf.low % PAGE_SIZE == 0 && elf.high % PAGE_SIZE == 0);
	for (u32 type = 0; type < 8; type++)
		use_segments(&elf, type);
	interpreter = elf_interpreter(&elf);
	if (interpreter)
		fuzz_touch(interpreter, strlen(interpreter) + 1);
	elf_phdr_address(&elf);
	use_symbols(&elf);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	open_as(data, len, ELF_NATIVE);
	open_as(data, len, ELF_FOREIGN);
	return 0;
}

size_t fuzz_sample(u32 n, u8 *out)
{
	struct program *p = new_program();
	size_t len = n < 2 ? sizeof(*p) : 0;

	if (n == 1) { /* a shared object with an interpreter */
		p->header.type = ELF_TYPE_DYN;
		p->header.phnum = 3;
	}
	memcpy(out, p, len);
	free(p);
	return len;
}
