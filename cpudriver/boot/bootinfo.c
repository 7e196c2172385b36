/*
 * What the boot loader handed over: the command line and its options, and which protocol it spoke.
 *
 * Not here: the protocols' formats (multiboot2.c, pvh.c).
 */
#include "loader.h"
#include "entry.h"

#include <bare/bare.h>

const void *boot_memory(u64 phys, u64 bytes, const char *what)
{
	const void *p = phys ? phys_map(phys, bytes) : NULL;

	if (!p)
		fail("the boot loader's %s, %lu bytes at 0x%lx, cannot be read", what, bytes, phys);
	return p;
}

void bootinfo_set_cmdline(struct bootinfo *b, const char *text, u64 max)
{
	u64 len = strnlen(text, max);

	if (len > CMDLINE_MAX - 1)
		say("the command line has %lu characters; only the first %u are used", len,
		    CMDLINE_MAX - 1);
	len = MIN(len, CMDLINE_MAX - 1);
	memcpy(b->cmdline, text, len);
	b->cmdline[len] = 0;
}

const char *bootinfo_option(const struct bootinfo *b, const char *name)
{
	size_t len = strlen(name);

	for (const char *at = b->cmdline; *at;) {
		if (strncmp(at, name, len) == 0 && at[len] == '=')
			return at + len + 1;
		while (*at && *at != ' ')
			at++;
		while (*at == ' ')
			at++;
	}
	return NULL;
}

/* The number that is the value of option @name, from 1 to @max; 0 if the option is not there. */
static u32 option_number(const struct bootinfo *b, const char *name, u32 max)
{
	const char *value = bootinfo_option(b, name), *at = value;
	u32 n = 0;

	if (!value)
		return 0;
	for (; *at >= '0' && *at <= '9' && n <= max; at++)
		n = n * 10 + (u32)(*at - '0');
	if (n == 0 || n > max || (*at && *at != ' '))
		fail("\"%s=%.*s\" on the command line: expected a number from 1 to %u", name,
		     (int)strnlen(value, 20), value, max);
	return n;
}

u32 bootinfo_cores(const struct bootinfo *b, u32 most)
{
	u32 n = option_number(b, "cores", MACHINE_MAX_CORES);

	return n ? MIN(n, most) : most;
}

u32 bootinfo_first_core(const struct bootinfo *b)
{
	return option_number(b, "first_core", 90);
}

void bootinfo_read(u32 magic, u64 info, struct bootinfo *b)
{
	const char *panic;

	if (magic == BOOT_MULTIBOOT2)
		multiboot2_read(info, b);
	else if (magic == BOOT_PVH)
		pvh_read(info, b);
	else
		fail("started by something that speaks neither multiboot2 nor PVH (0x%x)", magic);
	panic = bootinfo_option(b, "panic");
	if (panic && strncmp(panic, "exit", 4) == 0)
		console_exit_on_failure();
}
