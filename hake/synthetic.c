/*
 * Synthetic descriptions of machines: "pack:4 numa:1 core:16 pu:1".
 *
 * hwloc reads them, but says of a wrong one just that it is wrong. So each word is checked
 * here first, with the column where it stands, and what may be left out is put in.
 */
#include "topology.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SEE "(see hake/README.md, Topologies)"

/* A count beyond this is a slip of the finger, not a machine. */
#define COUNT_MAX MACHINE_MAX_CORES

enum level { PACK, GROUP, NUMA, DIE, CACHE, CORE, PU, NLEVELS };

static const struct {
	const char *word;
	enum level level;
} words[] = {
	{"pack", PACK}, {"package", PACK}, {"socket", PACK}, {"group", GROUP}, {"numa", NUMA},
	{"node", NUMA}, {"die", DIE},      {"l3", CACHE},    {"l2", CACHE},    {"l1", CACHE},
	{"core", CORE}, {"pu", PU},        {"thread", PU},
};

/* The words hwloc itself has for the levels; caches keep their own. */
static const char *const hwloc_words[NLEVELS] = {
	[PACK] = "pack", [GROUP] = "group", [NUMA] = "numa",
	[DIE] = "die",   [CORE] = "core",   [PU] = "pu",
};

struct entry {
	enum level level;
	const char *word;
	unsigned long count;
};

static enum level find_word(const char *spec, const char *word, size_t column)
{
	struct strv known = {0};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcasecmp(words[i].word, word) == 0)
			return words[i].level;
		strv_add(&known, words[i].word);
	}
	die("topology \"%s\": unknown type \"%s\" at column %zu%s %s", spec, word, column,
	    suggest(word, &known), SEE);
}

/* Reads one "type:count" that begins at @at in @spec. */
static struct entry read_entry(const char *spec, const char *at, size_t len)
{
	size_t column = (size_t)(at - spec) + 1;
	size_t colon = strcspn(at, ": \t");
	struct entry e;
	char *end;

	if (colon == 0 || colon + 1 >= len || at[colon] != ':')
		die("topology \"%s\": expected \"type:count\" at column %zu %s", spec, column, SEE);
	e.word = strf("%.*s", (int)colon, at);
	e.level = find_word(spec, e.word, column);
	e.count = strtoul(at + colon + 1, &end, 10);
	if (!isdigit((unsigned char)at[colon + 1]) || end != at + len)
		die("topology \"%s\": expected a count after \"%s:\" at column %zu %s", spec,
		    e.word, column + colon + 1, SEE);
	if (e.count < 1 || e.count > COUNT_MAX)
		die("topology \"%s\": a count at column %zu that is not from 1 to %u %s", spec,
		    column + colon + 1, COUNT_MAX, SEE);
	return e;
}

static void check_order(const char *spec, const struct entry *e, size_t n)
{
	unsigned seen = 0;
	unsigned long pus = 1;

	for (size_t i = 0; i < n; i++) {
		bool repeats =
			e[i].level != GROUP && e[i].level != CACHE && (seen & 1u << e[i].level);

		if (repeats)
			die("topology \"%s\": \"%s\" stands there twice %s", spec, e[i].word, SEE);
		/* Dies and nodes may come in either order; all else from the outside in. */
		if (i && e[i].level < e[i - 1].level &&
		    !(e[i].level == NUMA && e[i - 1].level == DIE))
			die("topology \"%s\": a %s cannot be inside a %s %s", spec, e[i].word,
			    e[i - 1].word, SEE);
		seen |= 1u << e[i].level;
		pus *= e[i].count;
		if (pus > MACHINE_MAX_CORES)
			die("topology \"%s\" has over %u cores, more than Skerry can have", spec,
			    MACHINE_MAX_CORES);
	}
	if (!(seen & (1u << CORE | 1u << PU)))
		die("topology \"%s\" says of no cores: add \"core:N\" %s", spec, SEE);
}

char *synthetic_complete(const char *spec)
{
	struct entry *e = alloc((strlen(spec) + 1) * sizeof(*e));
	size_t n = 0;
	unsigned seen = 0;
	struct strv out = {0};

	for (const char *s = spec + strspn(spec, " \t"); *s; s += strspn(s, " \t")) {
		size_t len = strcspn(s, " \t");

		e[n++] = read_entry(spec, s, len);
		seen |= 1u << e[n - 1].level;
		s += len;
	}
	check_order(spec, e, n);
	if (!(seen & 1u << PACK))
		strv_add(&out, "pack:1");
	for (size_t i = 0; i < n; i++) {
		if (i == (seen & 1u << PACK ? 1 : 0) && !(seen & 1u << NUMA))
			strv_add(&out, "numa:1");
		strv_addf(&out, "%s:%lu", e[i].level == CACHE ? e[i].word : hwloc_words[e[i].level],
			  e[i].count);
	}
	if (!(seen & 1u << PU))
		strv_add(&out, "pu:1");
	return strv_join(&out, " ");
}
