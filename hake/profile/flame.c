/*
 * A flame graph: a row for each depth of calls, callers below, a box for each function, as wide as
 * its part of the cycles. See profile.h.
 *
 * Stacks are sorted, so those with the same first names are neighbours; boxes of a row are such
 * groups. A program has its hue, a function its shade, the same in all graphs.
 */
#include "profile.h"

#include <string.h>

#define WIDTH  1200
#define MARGIN 10
#define ROW    17
#define HEAD   58
/* A letter takes about so much; a box must have room for three. */
#define LETTER 6.8
#define THIN   0.25 /* boxes below that are left out */

struct graph {
	const struct profile *v;
	struct buf *out;
	size_t rows;
	double scale; /* pixels a cycle */
};

static size_t depth_of(const char *key)
{
	size_t n = 1;

	for (; *key; key++)
		n += *key == ';';
	return n;
}

/* The end of name @i of @key, counted from 0, or NULL if there are fewer. */
static const char *name_end(const char *key, size_t i)
{
	for (;; i--) {
		key += strcspn(key, ";");
		if (!i)
			return key;
		if (!*key++)
			return NULL;
	}
}

static const char *name_start(const char *key, const char *end)
{
	while (end > key && end[-1] != ';')
		end--;
	return end;
}

static void add_escaped(struct buf *out, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		switch (s[i]) {
		case '<':
			buf_addf(out, "&lt;");
			break;
		case '>':
			buf_addf(out, "&gt;");
			break;
		case '&':
			buf_addf(out, "&amp;");
			break;
		default:
			buf_add(out, &s[i], 1);
		}
	}
}

static void add_box(struct graph *g, size_t row, double at, double cycles, const char *key,
		    const char *end)
{
	const char *name = name_start(key, end);
	size_t n = (size_t)(end - name), fits;
	double x = MARGIN + at * g->scale, width = cycles * g->scale;
	double y = HEAD + (double)(g->rows - 1 - row) * ROW;
	u32 hue = text_hash(strf("%.*s", (int)strcspn(key, ";"), key)) % 360;
	u32 shade = 62 + text_hash(strf("%.*s", (int)n, name)) % 18;

	if (width < THIN)
		return;
	buf_addf(g->out, "<g><title>");
	add_escaped(g->out, name, n);
	buf_addf(g->out, ": %.0f cycles, %.2f %%</title>", cycles, 100 * cycles / g->v->cycles);
	buf_addf(g->out,
		 "<rect x=\"%.2f\" y=\"%.0f\" width=\"%.2f\" height=\"%d\" "
		 "fill=\"hsl(%u,65%%,%u%%)\" stroke=\"white\" stroke-width=\"0.5\"/>",
		 x, y, width, ROW - 1, hue, shade);
	fits = (size_t)((width - 6) / LETTER);
	if (width > 6 + 3 * LETTER) {
		buf_addf(g->out, "<text x=\"%.2f\" y=\"%.0f\">", x + 3, y + ROW - 5);
		add_escaped(g->out, name, n <= fits ? n : fits - 2);
		buf_addf(g->out, "%s</text>", n <= fits ? "" : "..");
	}
	buf_addf(g->out, "</g>\n");
}

/* The boxes of row @row: groups of neighbours that are the same up to there. */
static void add_row(struct graph *g, size_t row)
{
	const struct profile_sums *s = &g->v->stacks;
	double at = 0;

	for (size_t i = 0; i < s->n;) {
		const char *key = s->v[i].key, *end = name_end(key, row);
		double cycles = 0;
		size_t len, k = i;

		if (!end) {
			at += s->v[i++].cycles;
			continue;
		}
		len = (size_t)(end - key);
		for (; k < s->n && strncmp(s->v[k].key, key, len) == 0 &&
		       (!s->v[k].key[len] || s->v[k].key[len] == ';');
		     k++)
			cycles += s->v[k].cycles;
		add_box(g, row, at, cycles, key, end);
		at += cycles;
		i = k;
	}
}

void profile_flame(const struct profile *v, const char *title, struct buf *out)
{
	struct graph g = {.v = v, .out = out, .scale = (WIDTH - 2 * MARGIN) / MAX(v->cycles, 1.0)};
	double height;

	for (size_t i = 0; i < v->stacks.n; i++)
		g.rows = MAX(g.rows, depth_of(v->stacks.v[i].key));
	height = HEAD + (double)g.rows * ROW + MARGIN;
	buf_addf(out,
		 "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%.0f\" "
		 "viewBox=\"0 0 %d %.0f\" font-family=\"monospace\" font-size=\"11\">\n"
		 "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n"
		 "<text x=\"%d\" y=\"24\" font-size=\"17\" font-family=\"sans-serif\">",
		 WIDTH, height, WIDTH, height, MARGIN);
	add_escaped(out, title, strlen(title));
	buf_addf(out,
		 "</text>\n<text x=\"%d\" y=\"43\" font-family=\"sans-serif\">%.0f simulated "
		 "cycles, "
		 "without halts; callers below, a colour for each program; point at a box for its "
		 "part</text>\n",
		 MARGIN, v->cycles);
	for (size_t row = 0; row < g.rows; row++)
		add_row(&g, row);
	buf_addf(out, "</svg>\n");
}
