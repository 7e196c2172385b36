/*
 * What a program cost on Skerry beside what it cost on Linux, row by row.
 *
 * A figure is a line "@bench name=N value=V unit=U" of the program. With the unit "ns" it is a
 * time; else (instructions, bytes) it is counted: the same every time, and compared. The goal of
 * every row that is counted on both is to be less on Skerry. No I/O: it can be tested with lines
 * that were written down.
 */
#ifndef HAKE_FIGURES_H
#define HAKE_FIGURES_H

#include "util.h"

enum figure_system { ON_SKERRY, ON_LINUX, NSYSTEMS };

/* NULL: there is no such figure. */
struct figure {
	const char *name;
	const char *unit;
	const char *count[NSYSTEMS];
	const char *ns[NSYSTEMS];
};

/* How they came about: a list of the form "key=value", for whoever wants to do it again. */
struct figures {
	struct figure *v;
	size_t n;
	struct strv made;
	bool timed;
};

/** Adds what a run on @system said; ends hake, naming @who, at a line that cannot be read. */
void figures_add(struct figures *f, const char *who, enum figure_system system,
		 const struct strv *lines);

/** The value of @key in @f->made, "" if there is none. */
const char *figures_made(const struct figures *f, const char *key);

/** How many rows of both systems there are; in *@missed how many are not less on Skerry. */
size_t figures_judge(const struct figures *f, size_t *missed);

/** Tables for a terminal, for a README (between its markers), for programs. */
void figures_text(const struct figures *f, struct buf *out);
void figures_markdown(const struct figures *f, struct buf *out);
void figures_csv(const struct figures *f, struct buf *out);
void figures_json(const struct figures *f, const char *name, struct buf *out);

/**
 * Puts @block between the lines "<!-- figures NAME -->" and "<!-- end of figures -->" of @text,
 * which are kept. Returns false, and leaves @text alone, if they are not there.
 */
bool figures_place(struct buf *text, const char *name, const char *block);

#endif
