/*
 * What the command line asks for. See crew.h.
 */
#include "crew.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_NUMBERS 16

#define PLAN(field, text, from)                                                                    \
	{                                                                                          \
		.name = #field, .about = (text), .offset = offsetof(struct plan, field),           \
		.most = 1000000, .usual = (from)                                                   \
	}

static const struct plan_number common[] = {
	PLAN(cores, "that work (1)", 1),
	PLAN(workers, "at once, on the cores in turn (as many as there is room for)", 0),
	PLAN(ops, "operations of each (100)", 100),
	PLAN(warm, "before those, not measured (3)", 3),
	{.name = NULL},
};

static const struct plan_number *const all_numbers[] = {common, plan_numbers};

static void help_numbers(const struct plan_number *n)
{
	for (; n->name; n++)
		printf("  --%s%-*s %s\n", n->name, 11 - (int)strlen(n->name),
		       n->most == 1 ? "" : " N", n->about);
}

static void help(void)
{
	printf("usage: %s [OPTIONS] MODE[,NAME=N][,NAME]...\n\n"
	       "%s; prints a line \"@%s ...\"\n"
	       "for each MODE. Options are for all modes; NAME behind a MODE is an option for it "
	       "alone.\n\n",
	       bench_name, bench_about, bench_name);
	for (const struct mode *m = modes; m->name; m++)
		printf("  %-12s %s\n", m->name, m->about);
	putchar('\n');
	help_numbers(common);
	help_numbers(plan_numbers);
	puts("  --seeds N     all of it N times; under the timing model with another seed each\n"
	     "                time (1)");
}

static uint32_t number(const char *text, const char *option, uint32_t most)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || n > most)
		die(0, "%s: expected a number up to %u, not \"%s\"", option, most, text);
	return (uint32_t)n;
}

static const struct plan_number *find(const char *name)
{
	for (size_t i = 0; i < sizeof(all_numbers) / sizeof(*all_numbers); i++) {
		for (const struct plan_number *n = all_numbers[i]; n->name; n++) {
			if (strcmp(n->name, name) == 0)
				return n;
		}
	}
	return NULL;
}

static void set(struct plan *p, const struct plan_number *n, const char *value)
{
	*(uint32_t *)((char *)p + n->offset) = value ? number(value, n->name, n->most) : 1;
}

/* "name=N", or "name" of a yes or no, for @p; changes @word. */
static void read_number(struct plan *p, char *word)
{
	char *value = strchr(word, '=');
	const struct plan_number *n;

	if (value)
		*value++ = 0;
	n = find(word);
	if (!n || !value != (n->most == 1))
		die(0, "\"%s\" is not known behind a mode (%s --help)", word, bench_name);
	set(p, n, value);
}

/* "MODE,name=N,..."; changes @text. */
static void read_plan(struct plan *p, char *text)
{
	char *word = strtok(text, ",");
	uint32_t room;

	for (p->mode = modes; p->mode->name && strcmp(p->mode->name, word ? word : "") != 0;
	     p->mode++)
		;
	if (!p->mode->name)
		die(0, "there is no mode \"%s\" (%s --help)", word ? word : "", bench_name);
	while ((word = strtok(NULL, ",")))
		read_number(p, word);
	room = p->cores / (p->mode->cores_each ? p->mode->cores_each : 1);
	if (!p->workers)
		p->workers = room;
	if (!room || p->workers < room || p->workers > MAX_WORKERS || !p->ops)
		die(0,
		    "%s with %u workers on %u cores: there must be as many as there is room for, "
		    "at "
		    "most %d, and at least one operation",
		    p->mode->name, p->workers, p->cores, MAX_WORKERS);
}

/* The options of getopt_long: its numbers' places in @known, then "seeds" and "help". */
static size_t fill_options(struct option *v, const struct plan_number **known)
{
	size_t n = 0;

	for (size_t i = 0; i < sizeof(all_numbers) / sizeof(*all_numbers); i++) {
		for (const struct plan_number *at = all_numbers[i]; at->name && n < MOST_NUMBERS;
		     at++, n++) {
			known[n] = at;
			v[n] = (struct option){
				at->name, at->most == 1 ? no_argument : required_argument, NULL, 0};
		}
	}
	v[n] = (struct option){"seeds", required_argument, NULL, 's'};
	v[n + 1] = (struct option){"help", no_argument, NULL, 'h'};
	return n;
}

uint32_t read_plans(int argc, char **argv, struct plan *plans, uint32_t *rounds)
{
	struct option options[MOST_NUMBERS + 3] = {{0}};
	const struct plan_number *known[MOST_NUMBERS];
	size_t nknown = fill_options(options, known);
	struct plan usual = {0};
	uint32_t n = 0;
	int c, which;

	for (size_t i = 0; i < nknown; i++)
		*(uint32_t *)((char *)&usual + known[i]->offset) = known[i]->usual;
	*rounds = 1;
	while ((c = getopt_long(argc, argv, "", options, &which)) != -1) {
		if (c == 0) {
			set(&usual, known[which], optarg);
		} else if (c == 's') {
			*rounds = number(optarg, "seeds", 1000000);
		} else {
			help();
			exit(c == 'h' ? 0 : 64);
		}
	}
	if (optind == argc || argc - optind > MAX_PLANS)
		die(0, "expected 1 to %d modes (%s --help)", MAX_PLANS, bench_name);
	for (; optind < argc; optind++) {
		plans[n] = usual;
		read_plan(&plans[n++], argv[optind]);
	}
	return n;
}
