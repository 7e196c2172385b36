/*
 * Whose code it is. See profile.h.
 *
 * Programs of different address spaces have the same addresses, so it is the code that tells: a
 * block belongs to the program that has just these bytes there. What is mapped anywhere (the vDSO)
 * is looked for at the same place of any page. Kernels patch themselves and have the upper half to
 * themselves: there the address tells.
 */
#include "profile.h"

#include <stdlib.h>
#include <string.h>

#include "../build.h"

#define PAGE 4096

struct program {
	const char *name;
	struct elf elf;
	bool anywhere, kernel;
};

struct profile_names {
	struct program *v;
	size_t n;
};

static void add_program(struct profile_names *names, const struct item *it)
{
	const char *prefix = it->kind == DOMAIN ? "sbin/" : it->kind == KERNEL ? "boot/" : "";
	struct program *p = &names->v[names->n];

	if (!file_exists(item_output(it)))
		return;
	elf_read(&p->elf, item_output(it));
	p->name = it->path ? it->path : strf("%s%s", prefix, it->name);
	p->anywhere = it->kind == EMBEDDED;
	p->kernel = it->kind == KERNEL;
	names->n++;
}

static int by_address(const void *a, const void *b)
{
	const struct elf_symbol *x = a, *y = b;

	return x->address < y->address ? -1 : x->address > y->address;
}

static void add_linux(struct profile_names *names, const char *list)
{
	struct program *p = &names->v[names->n++];
	size_t room = 0;

	p->name = "kernel";
	p->kernel = true;
	for (const char *at = list; *at; at += strcspn(at, "\n"), at += *at == '\n') {
		char *rest;
		u64 address = strtoull(at, &rest, 16);

		if (rest == at || strlen(rest) < 4 || !(address >> 63))
			continue;
		if (p->elf.n == room) {
			room = room ? room * 2 : 65536;
			p->elf.v = realloc(p->elf.v, room * sizeof(*p->elf.v));
			if (!p->elf.v)
				die("out of memory");
		}
		rest += 3;
		p->elf.v[p->elf.n++] = (struct elf_symbol){
			address, strf("%.*s", (int)strcspn(rest, "\t\r\n "), rest)};
	}
	qsort(p->elf.v, p->elf.n, sizeof(*p->elf.v), by_address);
}

struct profile_names *profile_names_of(const struct project *p, const char *linux_list)
{
	struct profile_names *names = alloc(sizeof(*names));

	names->v = alloc((p->n + 1) * sizeof(*names->v));
	for (size_t i = 0; i < p->n; i++) {
		enum kind kind = p->v[i]->kind;

		if (kind == LINUX_PROGRAM ||
		    (!linux_list && (kind == DOMAIN || kind == KERNEL || kind == EMBEDDED)))
			add_program(names, p->v[i]);
	}
	if (linux_list)
		add_linux(names, linux_list);
	return names;
}

/* Whether section @s of @p has @c at its offset @at. */
static bool has_code(const struct program *p, const Elf64_Shdr *s, u64 at,
		     const struct profile_code *c)
{
	return at <= s->sh_size && c->n <= s->sh_size - at &&
	       memcmp(p->elf.file.v + s->sh_offset + at, c->bytes, c->n) == 0;
}

/* The address in @p of @c, or 0. */
static u64 find_code(const struct program *p, const struct profile_code *c)
{
	if (p->kernel)
		return c->address >> 63 ? c->address : 0;
	for (u32 i = 0; i < p->elf.header->e_shnum; i++) {
		const Elf64_Shdr *s = &p->elf.sections[i];

		if (!(s->sh_flags & SHF_EXECINSTR) || s->sh_type == SHT_NOBITS)
			continue;
		if (!p->anywhere) {
			if (c->address >= s->sh_addr && has_code(p, s, c->address - s->sh_addr, c))
				return c->address;
			continue;
		}
		for (u64 at = (c->address - s->sh_addr) % PAGE; at < s->sh_size; at += PAGE) {
			if (has_code(p, s, at, c))
				return s->sh_addr + at;
		}
	}
	return 0;
}

static const char *function_at(const struct elf *e, u64 address)
{
	size_t low = 0, high = e->n;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (e->v[mid].address <= address)
			low = mid + 1;
		else
			high = mid;
	}
	/* Of several names the first. */
	while (low > 1 && e->v[low - 2].address == e->v[low - 1].address)
		low--;
	return low ? e->v[low - 1].name : strf("0x%lx", address);
}

struct profile_name profile_name(const struct profile_names *names, const struct profile_code *c)
{
	for (size_t i = 0; i < names->n; i++) {
		const struct program *p = &names->v[i];
		u64 address = find_code(p, c);

		if (address)
			return (struct profile_name){p->name, function_at(&p->elf, address)};
	}
	return (struct profile_name){"unknown", strf("0x%lx", c->address & ~(PAGE - 1ul))};
}
