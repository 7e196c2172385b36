/*
 * nsbench: what the command line asks for. See nsbench.h.
 */
#include "nsbench.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void help(void)
{
	puts("usage: nsbench [OPTIONS] MODE[,mounts=N][,tree=N][,ops=N][,crowded]...\n\n"
	     "Creates mount namespaces on several cores at once; prints a line \"@nsbench ...\"\n"
	     "for each MODE. What stands behind a MODE is for it alone; options are for all.\n");
	for (const struct mode *m = modes; m->name; m++)
		printf("  %-10s %s\n", m->name, m->about);
	puts("\n  --cores N     that work (1)\n"
	     "  --workers N   at once, on the cores in turn (one on each)\n"
	     "  --ops N       operations of each (100)\n"
	     "  --warm N      before those, not measured (3)\n"
	     "  --mounts N    in the namespace that they start from (1: as few as there can be)\n"
	     "  --tree N      in the tree that is copied\n"
	     "  --crowded     the tree is a folder of the mount that has all others, not a mount\n"
	     "  --readers N   processes that read mountinfo meanwhile\n"
	     "  --kept N      namespaces that exist already\n"
	     "  --seeds N     all of it N times; under the timing model with another seed each\n"
	     "                time (1)");
}

static uint32_t number(const char *text, const char *option)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || n > 1000000)
		die(0, "%s: expected a number up to 1000000, not \"%s\"", option, text);
	return (uint32_t)n;
}

/* The number of @p that has this name, or NULL. */
static uint32_t *number_of(struct plan *p, const char *name)
{
	const struct {
		const char *name;
		uint32_t *value;
	} numbers[] = {{"cores", &p->cores},   {"ops", &p->ops},        {"warm", &p->warm},
		       {"mounts", &p->mounts}, {"tree", &p->tree},      {"readers", &p->readers},
		       {"kept", &p->kept},     {"workers", &p->workers}};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		if (strcmp(numbers[i].name, name) == 0)
			return numbers[i].value;
	}
	return NULL;
}

/* "name=N" for @p; changes @word. */
static void read_number(struct plan *p, char *word)
{
	char *value = strchr(word, '=');
	uint32_t *n = NULL;

	if (value) {
		*value++ = 0;
		n = number_of(p, word);
	}
	if (n)
		*n = number(value, word);
	else
		die(0, "\"%s\" is not known behind a mode (nsbench --help)", word);
}

/* "MODE,name=N,..."; changes @text. */
static void read_plan(struct plan *p, char *text)
{
	char *word = strtok(text, ",");

	for (p->mode = modes; p->mode->name && strcmp(p->mode->name, word ? word : "") != 0;
	     p->mode++)
		;
	if (!p->mode->name)
		die(0, "there is no mode \"%s\" (nsbench --help)", word ? word : "");
	while ((word = strtok(NULL, ","))) {
		if (strcmp(word, "crowded") == 0)
			p->crowded = true;
		else
			read_number(p, word);
	}
	if (!p->workers)
		p->workers = p->cores;
	if (!p->cores || p->workers < p->cores || p->workers > MAX_WORKERS || !p->ops)
		die(0, "cores must be 1 to %d, workers no fewer, ops at least 1", MAX_WORKERS);
	if (p->readers > MAX_OTHERS || p->kept > MAX_OTHERS - p->readers)
		die(0, "readers and kept are %d at most together", MAX_OTHERS);
}

uint32_t read_plans(int argc, char **argv, struct plan *plans, uint32_t *rounds)
{
	struct plan common = {.cores = 1, .ops = 100, .warm = 3, .mounts = 1};
	static const struct option options[] = {
		{"cores", required_argument, NULL, 0},   {"ops", required_argument, NULL, 0},
		{"warm", required_argument, NULL, 0},    {"mounts", required_argument, NULL, 0},
		{"tree", required_argument, NULL, 0},    {"readers", required_argument, NULL, 0},
		{"kept", required_argument, NULL, 0},    {"crowded", no_argument, NULL, 'c'},
		{"seeds", required_argument, NULL, 's'}, {"workers", required_argument, NULL, 0},
		{"help", no_argument, NULL, 'h'},        {NULL, 0, NULL, 0},
	};
	uint32_t n = 0;
	int c, which;

	*rounds = 1;
	while ((c = getopt_long(argc, argv, "", options, &which)) != -1) {
		if (c == 0) {
			*number_of(&common, options[which].name) =
				number(optarg, options[which].name);
		} else if (c == 'c') {
			common.crowded = true;
		} else if (c == 's') {
			*rounds = number(optarg, "seeds");
		} else {
			help();
			exit(c == 'h' ? 0 : 64);
		}
	}
	if (optind == argc || argc - optind > MAX_PLANS)
		die(0, "expected 1 to %d modes (nsbench --help)", MAX_PLANS);
	for (; optind < argc; optind++) {
		plans[n] = common;
		read_plan(&plans[n++], argv[optind]);
	}
	return n;
}
