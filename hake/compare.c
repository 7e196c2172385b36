/*
 * Comparing Skerry with Linux. See compare.h. No I/O but reading the list and printing, so that
 * it can be tested with consoles that were written down.
 */
#include "compare.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest.h"

#define ABSENT "-" /* the result of a case that said nothing */

/* NULL: the case said nothing. */
static const char *find_result(const struct cases *cases, const char *name)
{
	for (size_t i = 0; i < cases->n; i++) {
		if (strcmp(cases->v[i].key, name) == 0)
			return cases->v[i].value;
	}
	return NULL;
}

/* A case that says two different things has both as its result. */
static void add_case(struct cases *cases, const char *name, const char *result)
{
	for (size_t i = 0; i < cases->n; i++) {
		struct pair *old = &cases->v[i];

		if (strcmp(old->key, name))
			continue;
		if (strcmp(old->value, result))
			old->value = strf("%s,%s", old->value, result);
		return;
	}
	cases->v = realloc(cases->v, (cases->n + 1) * sizeof(*cases->v));
	if (!cases->v)
		die("out of memory");
	cases->v[cases->n++] = (struct pair){name, result};
}

/* Names and results are words of the list of differences: without blanks, and not empty. */
static char *as_word(const char *text)
{
	char *word = strf("%s", *text ? text : "\"\"");

	for (char *c = word; *c; c++) {
		if (*c == ' ' || *c == '\t' || *c == '\n' || *c == '\r')
			*c = '_';
	}
	return word;
}

static void read_line(struct cases *cases, const char *line)
{
	char *name = line_value(line, "name"), *result = line_value(line, "result");
	char *code = line_value(line, "code");

	if (line_is(line, "test") && name && result)
		add_case(cases, as_word(name), as_word(result));
	if (line_is(line, "exit") && code)
		add_case(cases, "exit", as_word(code));
}

struct cases compare_read(const struct item *it, const char *log)
{
	struct cases cases = {0};
	struct buf console = {0};

	buf_add(&console, "", 0);
	for (const char *at = log; *at;) {
		size_t n = strcspn(at, "\n");
		char *line = strf("%.*s", (int)n, at);

		at += n + (at[n] == '\n');
		line[strcspn(line, "\r")] = 0;
		read_line(&cases, line);
		/* What hake says of the run may name the very text that was not shown. */
		if (!starts_with(line, "hake: "))
			buf_addf(&console, "%s\n", line);
	}
	for (size_t i = 0; i < it->says.n; i++)
		add_case(&cases, strf("says:%s", as_word(it->says.v[i])),
			 strstr(console.v, it->says.v[i]) ? "yes" : "no");
	return cases;
}

static void add_difference(struct differences *list, struct difference d)
{
	list->v = realloc(list->v, (list->n + 1) * sizeof(d));
	if (!list->v)
		die("out of memory");
	list->v[list->n++] = d;
}

/* Takes the next word off *@at; NULL if there is none. */
static char *next_word(const char **at)
{
	size_t n;
	char *word;

	*at += strspn(*at, " \t");
	n = strcspn(*at, " \t");
	word = n ? strf("%.*s", (int)n, *at) : NULL;
	*at += n;
	return word;
}

static void load_line(struct comparison *c, const char *line, int number)
{
	struct difference d = {.line = number};

	line += strspn(line, " \t");
	if (*line == '#' || !*line)
		return;
	d.test = next_word(&line);
	d.name = next_word(&line);
	d.skerry = next_word(&line);
	d.linux_ = next_word(&line);
	d.reason = line + strspn(line, " \t");
	if (!d.linux_ || !*d.reason)
		die("%s:%d: expected TEST CASE SKERRY LINUX REASON... (see hake/README.md, Linux)",
		    c->file, number);
	if (strcmp(d.skerry, d.linux_) == 0)
		die("%s:%d: %s on Skerry and on Linux: no difference", c->file, number, d.skerry);
	add_difference(&c->listed, d);
}

void compare_load(struct comparison *c, const char *file)
{
	struct buf text = {0};
	int number = 0;

	c->file = file;
	if (file_read(file, &text))
		return;
	for (const char *at = text.v; *at;) {
		size_t n = strcspn(at, "\n");

		load_line(c, strf("%.*s", (int)n, at), ++number);
		at += n + (at[n] == '\n');
	}
}

/* The line of the list that says just this, or NULL. */
static struct difference *find_listed(const struct comparison *c, const struct difference *d)
{
	for (size_t i = 0; i < c->listed.n; i++) {
		struct difference *l = &c->listed.v[i];

		if (!strcmp(l->test, d->test) && !strcmp(l->name, d->name) &&
		    !strcmp(l->skerry, d->skerry) && !strcmp(l->linux_, d->linux_))
			return l;
	}
	return NULL;
}

/* Compares one case, whose results may be NULL; returns whether it is the same. */
static bool compare_case(struct comparison *c, const char *test, const char *name,
			 const char *skerry, const char *linux_)
{
	struct difference d = {.test = test,
			       .name = name,
			       .skerry = skerry ? skerry : ABSENT,
			       .linux_ = linux_ ? linux_ : ABSENT};
	struct difference *listed;

	c->ncases++;
	if (strcmp(d.skerry, d.linux_) == 0)
		return true;
	listed = find_listed(c, &d);
	if (listed) {
		listed->found = true;
		d.reason = listed->reason;
		c->nlisted++;
	}
	add_difference(&c->found, d);
	return false;
}

void compare_add(struct comparison *c, const struct item *it, const char *skerry,
		 const char *linux_)
{
	struct cases ours = compare_read(it, skerry), theirs = compare_read(it, linux_);
	size_t same = 0, all = 0;

	strv_add(&c->tests, it->name);
	for (size_t i = 0; i < theirs.n; i++) {
		const struct pair *t = &theirs.v[i];

		if (strcmp(t->key, "exit") == 0)
			continue;
		all++;
		same += compare_case(c, it->name, t->key, find_result(&ours, t->key), t->value);
	}
	for (size_t i = 0; i < ours.n; i++) {
		const struct pair *o = &ours.v[i];

		if (strcmp(o->key, "exit") == 0 || find_result(&theirs, o->key))
			continue;
		all++;
		same += compare_case(c, it->name, o->key, o->value, NULL);
	}
	/* A program whose cases differ ends differently, too, which tells nothing new. */
	if (same == all)
		compare_case(c, it->name, "exit", find_result(&ours, "exit"),
			     find_result(&theirs, "exit"));
}

size_t compare_judge(struct comparison *c, const struct strv *known)
{
	for (size_t i = 0; i < c->listed.n; i++) {
		const struct difference *l = &c->listed.v[i];

		if (!strv_has(known, l->test))
			strv_addf(&c->invalid, "%s:%d: no boot test \"%s\" runs a Linux program%s",
				  c->file, l->line, l->test, suggest(l->test, known));
		else if (strv_has(&c->tests, l->test) && !l->found)
			strv_addf(&c->invalid,
				  "%s:%d: %s %s is no longer %s on Skerry and %s on Linux: "
				  "correct the line, or take it out",
				  c->file, l->line, l->test, l->name, l->skerry, l->linux_);
	}
	return c->found.n - c->nlisted + c->invalid.n;
}

void compare_show(const struct comparison *c)
{
	if (c->found.n)
		printf("\n%-20s %-48s %-8s %-8s\n", "test", "case", "Skerry", "Linux");
	for (size_t i = 0; i < c->found.n; i++) {
		const struct difference *d = &c->found.v[i];

		printf("%-20s %-48s %-8s %-8s %s\n", d->test, d->name, d->skerry, d->linux_,
		       d->reason ? d->reason : "NOT LISTED");
	}
	for (size_t i = 0; i < c->invalid.n; i++)
		printf("%s\n", c->invalid.v[i]);
	printf("%zu cases of %zu tests compared: %zu differ, %zu of them listed in %s\n", c->ncases,
	       c->tests.n, c->found.n, c->nlisted, c->file);
}
