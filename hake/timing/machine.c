/*
 * Reading machine descriptions (machine.h).
 */
#include "machine.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	size_t offset;
} keys[] = {
#define X(key) {#key, offsetof(struct machine, key)},
	MACHINE_KEYS(X)
#undef X
};

#define NKEYS (sizeof(keys) / sizeof(keys[0]))

/* The key's number, or -1. */
static int find_key(const char *name)
{
	for (size_t i = 0; i < NKEYS; i++)
		if (strcmp(keys[i].name, name) == 0)
			return (int)i;
	return -1;
}

/* One line, cut at its comment. Returns the key's number, -1 (wrong: @why), or NKEYS (empty). */
static int read_line(struct machine *m, char *line, const char **why)
{
	char name[64], value[64], rest[2], *end;
	int key;

	line[strcspn(line, "#\n")] = 0;
	if (line[strspn(line, " \t\r")] == 0)
		return NKEYS;
	*why = "is not \"key = number\"";
	if (sscanf(line, " %63[a-z0-9_] = %63[0-9] %1s", name, value, rest) != 2)
		return -1;
	*why = "has an unknown key";
	key = find_key(name);
	if (key < 0)
		return -1;
	errno = 0;
	*why = "has a number that is too large";
	*(uint64_t *)((char *)m + keys[key].offset) = strtoull(value, &end, 10);
	return errno || *end ? -1 : key;
}

/* What no number may be for the arithmetic of the model to be defined. */
static const char *implausible(const struct machine *m)
{
	if (!m->mhz || !m->dram_mbps || !m->link_mbps)
		return "mhz, dram_mbps and link_mbps may not be 0";
	if (!m->l1_ways || !m->l2_ways || !m->llc_ways || !m->tlb_ways || m->l1_ways > 16 ||
	    m->l2_ways > 32 || m->llc_ways > 64 || m->tlb_ways > 16)
		return "a number of ways is 0 or too large (16, 32, 64; TLB 16)";
	if (m->l1_kib * 16 < m->l1_ways || m->l2_kib * 16 < m->l2_ways ||
	    m->llc_kib * 16 < m->llc_ways || m->tlb_entries < m->tlb_ways || m->l1_kib > 1 << 20 ||
	    m->l2_kib > 1 << 20 || m->llc_kib > 1 << 24 || m->tlb_entries > 1 << 20)
		return "a cache is smaller than one set, or larger than any";
	return NULL;
}

int machine_read(struct machine *m, const char *path, char *message, size_t size)
{
	bool given[NKEYS] = {false};
	FILE *f = fopen(path, "re");
	const char *why = NULL;
	char line[512];
	int key = 0, n = 0;

	*m = (struct machine){0};
	if (!f) {
		snprintf(message, size, "%s: %s", path, strerror(errno));
		return -1;
	}
	while (!why && fgets(line, sizeof(line), f)) {
		const char *wrong = NULL;

		n++;
		key = read_line(m, line, &wrong);
		if (key < 0)
			why = wrong;
		else if (key < (int)NKEYS && given[key])
			why = "has a key that was given before";
		else if (key < (int)NKEYS)
			given[key] = true;
	}
	fclose(f);
	if (why) {
		snprintf(message, size, "%s: line %d %s", path, n, why);
		return -1;
	}
	for (size_t i = 0; i < NKEYS; i++) {
		if (given[i])
			continue;
		snprintf(message, size, "%s: \"%s\" is missing", path, keys[i].name);
		return -1;
	}
	why = implausible(m);
	if (why)
		snprintf(message, size, "%s: %s", path, why);
	return why ? -1 : 0;
}

uint64_t machine_ns(const struct machine *m, uint64_t cycles)
{
	return (uint64_t)((unsigned __int128)cycles * 1000 / m->mhz);
}

uint64_t machine_cycles(const struct machine *m, uint64_t ns)
{
	return (uint64_t)((unsigned __int128)ns * m->mhz / 1000);
}
