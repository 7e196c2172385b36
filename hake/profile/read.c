/*
 * A profile's file as sums by stack and by function. See profile.h, and hake/timing/profile.c for
 * what is in the file.
 */
#include "profile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_CORES 512
#define MOST_DEPTH 128

struct node {
	u32 parent, block;
};

/* What the lines say. */
struct raw {
	struct profile_code *codes;
	struct profile_name *names; /* program NULL: not looked for yet */
	u32 ncodes;
	struct node *nodes[MOST_CORES];
	u32 nnodes[MOST_CORES];
	const struct profile_names *known;
};

/* @v with room for item @i, zeroed. */
static void *room_for(void *v, u32 *n, u32 i, size_t size)
{
	u32 more = MAX(i + 1, *n * 2);
	void *grown;

	if (i < *n)
		return v;
	grown = alloc(more * size);
	if (v)
		memcpy(grown, v, *n * size);
	free(v);
	*n = more;
	return grown;
}

/* --- Sums --- */

static void grow(struct profile_sums *s)
{
	u32 n = s->nslots ? s->nslots * 2 : 1024;

	s->slots = alloc(n * sizeof(*s->slots));
	s->nslots = n;
	s->v = realloc(s->v, n * sizeof(*s->v));
	if (!s->v)
		die("out of memory");
	for (size_t i = 0; i < s->n; i++) {
		u32 at = text_hash(s->v[i].key);

		while (s->slots[at & (n - 1)])
			at++;
		s->slots[at & (n - 1)] = (u32)i + 1;
	}
}

static struct profile_sum *sum_of(struct profile_sums *s, const char *key)
{
	u32 at = text_hash(key), *slot;

	if (s->n * 2 >= s->nslots)
		grow(s);
	for (; *(slot = &s->slots[at & (s->nslots - 1)]); at++) {
		if (strcmp(s->v[*slot - 1].key, key) == 0)
			return &s->v[*slot - 1];
	}
	s->v[s->n++] = (struct profile_sum){.key = strf("%s", key)};
	*slot = (u32)s->n;
	return &s->v[s->n - 1];
}

/* Name by name: the ";" between them comes before all that names have. */
static int by_key(const void *a, const void *b)
{
	const char *x = ((const struct profile_sum *)a)->key;
	const char *y = ((const struct profile_sum *)b)->key;

	while (*x && *x == *y) {
		x++;
		y++;
	}
	return (*x == ';' ? 1 : *x) - (*y == ';' ? 1 : *y);
}

/* --- Lines --- */

static struct profile_name name_of(struct raw *r, u32 block)
{
	if (block >= r->ncodes)
		die("a profile names a block that it does not have");
	if (!r->names[block].program)
		r->names[block] = profile_name(r->known, &r->codes[block]);
	return r->names[block];
}

static void read_block(struct raw *r, const char *line)
{
	struct profile_code c = {0};
	u32 id, had = r->ncodes, had_names = r->ncodes;
	unsigned int byte;
	int at = 0;

	if (sscanf(line, "b %u %lx %n", &id, &c.address, &at) < 2 || !at || id > 1u << 24)
		die("a profile has a wrong line: %s", line);
	for (; c.n < sizeof(c.bytes) && sscanf(line + at, "%2x", &byte) == 1; at += 2)
		c.bytes[c.n++] = (u8)byte;
	r->codes = room_for(r->codes, &had, id, sizeof(*r->codes));
	r->names = room_for(r->names, &had_names, id, sizeof(*r->names));
	r->ncodes = had;
	r->codes[id] = c;
}

static void read_node(struct raw *r, const char *line)
{
	struct node n;
	u32 core, id;

	if (sscanf(line, "n %u %u %u %u", &core, &id, &n.parent, &n.block) == 4 &&
	    core < MOST_CORES && id <= 1u << 24 && n.parent < id) {
		r->nodes[core] = room_for(r->nodes[core], &r->nnodes[core], id, sizeof(n));
		r->nodes[core][id] = n;
	} else {
		die("a profile has a wrong line: %s", line);
	}
}

/* The stack of @node on @core and the function of @block, as names, the first caller first. */
static size_t stack_of(struct raw *r, u32 core, u32 node, u32 block, struct profile_name *v)
{
	size_t n = 0;

	v[n++] = name_of(r, block);
	for (; node && n < MOST_DEPTH; node = r->nodes[core][node].parent) {
		if (node >= r->nnodes[core])
			die("a profile names a caller that it does not have");
		v[n++] = name_of(r, r->nodes[core][node].block);
	}
	for (size_t i = 0; i < n / 2; i++) {
		struct profile_name x = v[i];

		v[i] = v[n - 1 - i];
		v[n - 1 - i] = x;
	}
	return n;
}

static void read_account(struct profile *out, struct raw *r, const char *line)
{
	struct profile_name v[MOST_DEPTH];
	u32 core, node, block;
	double cycles, instructions;
	struct buf key = {0};
	struct strv seen = {0};
	struct profile_sum *s;
	size_t n;

	if (sscanf(line, "c %u %u %u %lf %lf", &core, &node, &block, &cycles, &instructions) != 5 ||
	    core >= out->ncores)
		die("a profile has a wrong line: %s", line);
	n = stack_of(r, core, node, block, v);
	buf_addf(&key, "%s", v[n - 1].program);
	for (size_t i = 0; i < n; i++) {
		bool own = strcmp(v[i].program, v[n - 1].program) == 0;
		const char *name = strf("%s;%s", v[i].program, v[i].function);

		buf_addf(&key, own ? ";%s" : ";%s (%s)", v[i].function, v[i].program);
		if (strv_has(&seen, name))
			continue;
		strv_add(&seen, name);
		sum_of(&out->functions, name)->all += cycles;
	}
	s = sum_of(&out->stacks, key.v);
	s->cycles += cycles;
	s->instructions += instructions;
	s = sum_of(&out->functions, strf("%s;%s", v[n - 1].program, v[n - 1].function));
	s->cycles += cycles;
	s->instructions += instructions;
	if (!s->core)
		s->core = alloc(out->ncores * sizeof(*s->core));
	s->core[core] += cycles;
	out->core[core] += cycles;
	out->cycles += cycles;
	out->instructions += instructions;
}

void profile_read(struct profile *out, const char *path, const struct profile_names *names)
{
	struct raw r = {.known = names};
	struct buf b = {0};
	bool whole = false;

	if (file_read(path, &b))
		die("cannot read %s", path);
	*out = (struct profile){.ncores = MOST_CORES};
	out->core = alloc(MOST_CORES * sizeof(*out->core));
	for (char *at = b.v, *next; *at && !whole; at = next) {
		next = at + strcspn(at, "\n");
		if (*next)
			*next++ = 0;
		if (*at == 'b')
			read_block(&r, at);
		else if (*at == 'n')
			read_node(&r, at);
		else if (*at == 'c')
			read_account(out, &r, at);
		whole = *at == '.';
	}
	if (!whole)
		die("%s is not a profile, or cut short", path);
	while (out->ncores > 1 && !(out->core[out->ncores - 1] > 0))
		out->ncores--;
	if (out->stacks.n)
		qsort(out->stacks.v, out->stacks.n, sizeof(*out->stacks.v), by_key);
}
