/*
 * Figures of two systems, side by side. See figures.h.
 */
#include "figures.h"

#include <stdlib.h>
#include <string.h>

#include "guest.h"

#define GOAL "less than Linux"

static struct figure *row_of(struct figures *f, const char *name)
{
	for (size_t i = 0; i < f->n; i++) {
		if (strcmp(f->v[i].name, name) == 0)
			return &f->v[i];
	}
	f->v = realloc(f->v, (f->n + 1) * sizeof(*f->v));
	if (!f->v)
		die("out of memory");
	f->v[f->n] = (struct figure){.name = name};
	return &f->v[f->n++];
}

void figures_add(struct figures *f, const char *who, enum figure_system system,
		 const struct strv *lines)
{
	for (size_t i = 0; i < lines->n; i++) {
		const char *line = lines->v[i];
		char *name = line_value(line, "name"), *value = line_value(line, "value");
		char *unit = line_value(line, "unit");
		struct figure *row;

		if (!line_is(line, "bench"))
			continue;
		if (!name || !value || !unit) {
			die("benchmark %s: expected name=, value= and unit=: %s", who, line);
		} else if (strcmp(unit, "ns") == 0) {
			row_of(f, name)->ns[system] = value;
			f->timed = true;
		} else {
			row = row_of(f, name);
			row->unit = unit;
			row->count[system] = value;
		}
	}
}

const char *figures_made(const struct figures *f, const char *key)
{
	size_t n = strlen(key);

	for (size_t i = 0; i < f->made.n; i++) {
		if (strncmp(f->made.v[i], key, n) == 0 && f->made.v[i][n] == '=')
			return f->made.v[i] + n + 1;
	}
	return "";
}

static bool is_paired(const struct figure *row)
{
	return row->count[ON_SKERRY] && row->count[ON_LINUX];
}

static bool is_met(const struct figure *row)
{
	return atof(row->count[ON_SKERRY]) < atof(row->count[ON_LINUX]);
}

size_t figures_judge(const struct figures *f, size_t *missed)
{
	size_t n = 0;

	*missed = 0;
	for (size_t i = 0; i < f->n; i++) {
		if (!is_paired(&f->v[i]))
			continue;
		n++;
		*missed += !is_met(&f->v[i]);
	}
	return n;
}

/* Skerry's share of Linux's, or @none. */
static const char *ratio(const struct figure *row, const char *none)
{
	if (!is_paired(row) || atof(row->count[ON_LINUX]) <= 0)
		return none;
	return strf("%.2f", atof(row->count[ON_SKERRY]) / atof(row->count[ON_LINUX]));
}

static const char *verdict(const struct figure *row)
{
	if (!is_paired(row))
		return "";
	return is_met(row) ? "met" : "NOT MET";
}

/* @value, or a dash. */
static const char *shown(const char *value)
{
	return value ? value : "-";
}

/* Digits in groups of three. */
static const char *grouped(const char *value)
{
	struct buf out = {0};
	size_t n = value ? strlen(value) : 0;

	if (!value || strspn(value, "0123456789") != n)
		return shown(value);
	for (size_t i = 0; i < n; i++) {
		if (i && (n - i) % 3 == 0)
			buf_add(&out, ",", 1);
		buf_add(&out, value + i, 1);
	}
	return out.v;
}

static const char *words(const char *name)
{
	char *text = strf("%s", name);

	for (char *c = text; *c; c++)
		*c = *c == '_' ? ' ' : *c;
	return text;
}

void figures_text(const struct figures *f, struct buf *out)
{
	buf_addf(out, "  %-28s %12s %14s %14s %7s %8s", "", "", "Skerry", "Linux", "ratio", "goal");
	if (f->timed)
		buf_addf(out, " %14s %14s", "Skerry, ns", "Linux, ns");
	buf_addf(out, "\n");
	for (size_t i = 0; i < f->n; i++) {
		const struct figure *row = &f->v[i];

		buf_addf(out, "  %-28s %12s %14s %14s %7s %8s", words(row->name),
			 row->unit ? row->unit : "", grouped(row->count[ON_SKERRY]),
			 grouped(row->count[ON_LINUX]), ratio(row, "-"), verdict(row));
		if (f->timed)
			buf_addf(out, " %14s %14s", grouped(row->ns[ON_SKERRY]),
				 grouped(row->ns[ON_LINUX]));
		buf_addf(out, "\n");
	}
}

void figures_markdown(const struct figures *f, struct buf *out)
{
	buf_addf(out, "| | unit | Skerry | Linux %s | ratio | goal: " GOAL " |%s\n",
		 figures_made(f, "linux"), f->timed ? " Skerry, ns | Linux, ns |" : "");
	buf_addf(out, "| --- | --- | ---: | ---: | ---: | --- |%s\n",
		 f->timed ? " ---: | ---: |" : "");
	for (size_t i = 0; i < f->n; i++) {
		const struct figure *row = &f->v[i];

		buf_addf(out, "| %s | %s | %s | %s | %s | %s |", words(row->name),
			 row->unit ? row->unit : "", grouped(row->count[ON_SKERRY]),
			 grouped(row->count[ON_LINUX]), ratio(row, "-"), verdict(row));
		if (f->timed)
			buf_addf(out, " %s | %s |", grouped(row->ns[ON_SKERRY]),
				 grouped(row->ns[ON_LINUX]));
		buf_addf(out, "\n");
	}
}

void figures_csv(const struct figures *f, struct buf *out)
{
	buf_addf(out, "name,unit,skerry,linux,ratio,goal,skerry_ns,linux_ns\n");
	for (size_t i = 0; i < f->n; i++) {
		const struct figure *row = &f->v[i];
		const char *fields[] = {
			row->name,      row->unit,    row->count[ON_SKERRY], row->count[ON_LINUX],
			ratio(row, ""), verdict(row), row->ns[ON_SKERRY],    row->ns[ON_LINUX]};

		for (size_t j = 0; j < sizeof(fields) / sizeof(*fields); j++)
			buf_addf(out, "%s%s", j ? "," : "", fields[j] ? fields[j] : "");
		buf_addf(out, "\n");
	}
}

/* A string of JSON (RFC 8259, 7). */
static void add_string(struct buf *out, const char *text)
{
	buf_addf(out, "\"");
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			buf_addf(out, "\\%c", *text);
		else if ((unsigned char)*text < 0x20)
			buf_addf(out, "\\u%04x", *text);
		else
			buf_add(out, text, 1);
	}
	buf_addf(out, "\"");
}

/* A value is a number as the program printed it, if it is one in JSON, too. */
static void add_number(struct buf *out, const char *key, const char *value)
{
	size_t digits = value ? strspn(value, "0123456789") : 0;
	size_t rest =
		value && value[digits] == '.' ? 1 + strspn(value + digits + 1, "0123456789") : 0;

	buf_addf(out, ", \"%s\": ", key);
	if (!value)
		buf_addf(out, "null");
	else if (digits && rest != 1 && !value[digits + rest] && (digits == 1 || *value != '0'))
		buf_addf(out, "%s", value);
	else
		add_string(out, value);
}

void figures_json(const struct figures *f, const char *name, struct buf *out)
{
	buf_addf(out, "{\n  \"benchmark\": ");
	add_string(out, name);
	for (size_t i = 0; i < f->made.n; i++) {
		size_t key = strcspn(f->made.v[i], "=");

		buf_addf(out, ",\n  ");
		add_string(out, strf("%.*s", (int)key, f->made.v[i]));
		buf_addf(out, ": ");
		add_string(out, figures_made(f, strf("%.*s", (int)key, f->made.v[i])));
	}
	buf_addf(out, ",\n  \"goal\": \"" GOAL "\",\n  \"rows\": [");
	for (size_t i = 0; i < f->n; i++) {
		const struct figure *row = &f->v[i];

		buf_addf(out, "%s\n    {\"name\": ", i ? "," : "");
		add_string(out, row->name);
		buf_addf(out, ", \"unit\": ");
		add_string(out, row->unit ? row->unit : "");
		add_number(out, "skerry", row->count[ON_SKERRY]);
		add_number(out, "linux", row->count[ON_LINUX]);
		add_number(out, "skerry_ns", row->ns[ON_SKERRY]);
		add_number(out, "linux_ns", row->ns[ON_LINUX]);
		buf_addf(out, "}");
	}
	buf_addf(out, "\n  ]\n}\n");
}

bool figures_place(struct buf *text, const char *name, const char *block)
{
	const char *begin_mark = strf("<!-- figures %s -->\n", name);
	const char *begin = strstr(text->v, begin_mark), *end;
	struct buf out = {0};

	if (!begin)
		return false;
	begin += strlen(begin_mark);
	end = strstr(begin, "<!-- end of figures -->");
	if (!end)
		return false;
	buf_add(&out, text->v, (size_t)(begin - text->v));
	buf_addf(&out, "%s%s", block, end);
	*text = out;
	return true;
}
