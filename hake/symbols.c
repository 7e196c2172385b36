/*
 * The symbol table that a kernel carries for its backtraces.
 *
 * Printed as assembly of what the kernel declares as
 *
 *   struct ksym { u32 off; u32 name; };   off: from _text; name: index into ksym_names
 *   extern const struct ksym ksyms[];     ascending by off
 *   extern const u32 nksyms;
 *   extern const char ksym_names[];
 *
 * in the section .rodata.ksyms, which the kernel's linker script must put behind the text, so
 * that a table of any size leaves the text where it is.
 */
#include "symbols.h"
#include "elf_file.h"

#include <stdio.h>
#include <string.h>

/* The table of @s as assembly. One name an address; what lies below _text is left out. */
static struct buf print_table(const struct elf *s)
{
	struct buf table = {0}, names = {0};
	u64 last = 0;
	u32 n = 0, name_off = 0;

	for (size_t i = 0; i < s->n; i++) {
		if (s->v[i].address < s->text || (n && s->v[i].address == last))
			continue;
		last = s->v[i].address;
		buf_addf(&table, "\t.long\t0x%lx, %u\n", last - s->text, name_off);
		buf_addf(&names, "\t.asciz\t\"%s\"\n", s->v[i].name);
		name_off += (u32)strlen(s->v[i].name) + 1;
		n++;
	}
	buf_add(&names, "", 0);
	buf_add(&table, "", 0);
	char *text = strf("\t.section .rodata.ksyms, \"a\"\n"
			  "\t.globl\tksyms, nksyms, ksym_names\n\t.balign\t8\nksyms:\n%s"
			  "nksyms:\n\t.long\t%u\nksym_names:\n%s\t.byte\t0\n"
			  "\t.section .note.GNU-stack, \"\"\n",
			  table.v, n, names.v);

	return (struct buf){.v = text, .n = strlen(text)};
}

int symbols_main(int argc, char **argv)
{
	bool check = argc == 4 && strcmp(argv[1], "--check") == 0;
	struct elf s = {0};
	struct buf want, have = {0};

	if (argc > 2 && !check)
		die("usage: hake symbols [ELF] | hake symbols --check TABLE ELF");
	if (argc > 1) {
		elf_read(&s, argv[argc - 1]);
		if (!s.text)
			die("%s has no symbol _text: its linker script must define it where the "
			    "text begins",
			    argv[argc - 1]);
	}
	want = print_table(&s);
	if (!check) {
		fwrite(want.v, 1, want.n, stdout);
		return 0;
	}
	if (file_read(argv[2], &have) || have.n != want.n || memcmp(have.v, want.v, want.n))
		die("%s: its symbol table is not that of its text: its linker script must put "
		    ".rodata.ksyms behind the text, and _text before it",
		    argv[3]);
	return 0;
}
