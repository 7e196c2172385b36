/* See route.h. */
#include "route.h"
#include "link.h"
#include "monitor.h"
#include <stdlib.h>
#include <string.h>

struct kind {
	letter_handler *handler;
	u32 least;
};

/* A letter of which more pieces are to come, or one to oneself. */
struct letter {
	struct letter *next;
	u32 from;
	u32 via; /* the neighbour that it comes through: each way keeps its order */
	u32 kind;
	u32 bytes;
	u8 data[];
};

/* Letters that go by the link of the two monitors. The others go along the tree. */
#define ROUTE_DIRECT                                                                               \
	(1u << LETTER_SPAWN | 1u << LETTER_STARTED | 1u << LETTER_ENDED | 1u << LETTER_STOP |      \
	 1u << LETTER_OPEN | 1u << LETTER_OPENED | 1u << LETTER_HANGUP | 1u << LETTER_RELEASED |   \
	 1u << LETTER_HALT)

static_assert(LETTER_KINDS <= 32, "a bit for each kind");

static struct kind kinds[LETTER_KINDS];
static struct letter *partial; /* at most one for each sender and way */
static struct letter *own, **own_last = &own;
static u16 *parents; /* of live cores, in the tree of live cores */
static bool *dead;   /* by core */

void route_handle(enum letter_kind kind, letter_handler *handler, u32 least)
{
	kinds[kind] = (struct kind){.handler = handler, .least = least};
}

static void deliver(u32 from, u32 kind, const void *data, u32 bytes)
{
	if (kinds[kind].handler && bytes >= kinds[kind].least)
		kinds[kind].handler(from, data, bytes);
}

/* ---- the way ---- */

bool route_is_below(u32 core, u32 root)
{
	/* A parent's number need not be lower; but the tree has no more levels than cores. */
	for (u32 n = 0; n < self.ncores && core != MACHINE_NO_CORE; n++) {
		if (core == root)
			return true;
		core = self.cores[core].parent;
	}
	return false;
}

/* The neighbour that is next on the way to @to: a child above it, or else the parent. */
static u32 next_hop(u32 to)
{
	for (u32 core = to, n = 0; n < self.ncores && core != MACHINE_NO_CORE; n++) {
		u32 parent = parents[core];

		if (parent == self.core)
			return core;
		core = parent;
	}
	return parents[self.core];
}

bool route_is_neighbour(u32 core)
{
	return next_hop(core) == core;
}

/* The nearest live ancestor of @core; MACHINE_NO_CORE: none. */
static u32 live_ancestor(u32 core)
{
	do
		core = self.cores[core].parent;
	while (core != MACHINE_NO_CORE && dead[core]);
	return core;
}

void route_core_died(u32 core)
{
	u32 root = 0;

	dead[core] = true;
	while (dead[root])
		root++;
	/* A parent's number is below its child's, so nothing is above the lowest live core. */
	for (u32 c = 0; c < self.ncores; c++) {
		u32 parent = live_ancestor(c);

		parents[c] = (u16)(parent == MACHINE_NO_CORE && c != root ? root : parent);
	}
	for (struct letter **at = &partial, *letter; (letter = *at);) {
		if (letter->from == core || letter->via == core) {
			*at = letter->next;
			free(letter);
		} else {
			at = &letter->next;
		}
	}
}

/* ---- sending ---- */

static int send_to_self(enum letter_kind kind, const void *data, u32 bytes)
{
	struct letter *letter = malloc(sizeof(*letter) + bytes);

	if (!letter)
		return -ENOMEM;
	letter->next = NULL;
	letter->from = letter->via = self.core;
	letter->kind = kind;
	letter->bytes = bytes;
	memcpy(letter->data, data, bytes);
	*own_last = letter;
	own_last = &letter->next;
	return 0;
}

int route_send(u32 to, enum letter_kind kind, const void *data, u32 bytes)
{
	struct msg_piece piece = {.to = (u16)to, .from = (u16)self.core, .kind = (u16)kind};
	u32 sent = 0, hop;

	if (to >= self.ncores || bytes > LETTER_MAX)
		return -EINVAL;
	if (to == self.core)
		return send_to_self(kind, data, bytes);
	hop = ROUTE_DIRECT >> kind & 1 ? to : next_hop(to);
	do {
		u32 n = MIN(bytes - sent, PIECE_BYTES);
		int err;

		piece.bytes = (u8)n;
		piece.flags = (sent == 0 ? PIECE_FIRST : 0) | (sent + n == bytes ? PIECE_LAST : 0);
		memcpy(piece.data, (const u8 *)data + sent, n);
		err = link_send(hop, MSG_PIECE, &piece, sizeof(piece));
		/* A letter that was begun and not ended is dropped when the next one begins. */
		if (err)
			return err;
		sent += n;
	} while (sent < bytes);
	return 0;
}

bool route_poll(void)
{
	bool any = own != NULL;

	while (own) {
		struct letter *letter = own;

		own = letter->next;
		if (!own)
			own_last = &own;
		deliver(letter->from, letter->kind, letter->data, letter->bytes);
		free(letter);
	}
	return any;
}

/* ---- receiving ---- */

static struct letter **find_partial(u32 from, u32 via)
{
	struct letter **at = &partial;

	while (*at && ((*at)->from != from || (*at)->via != via))
		at = &(*at)->next;
	return at;
}

static void drop_partial(struct letter **at)
{
	struct letter *letter = *at;

	*at = letter->next;
	free(letter);
}

/* Put a piece of a longer letter to the others; deliver it when it is complete. */
static void collect(const struct msg_piece *piece, u32 via)
{
	struct letter **at = find_partial(piece->from, via);
	struct letter *letter = *at;

	if (piece->flags & PIECE_FIRST) {
		if (letter)
			drop_partial(at);
		letter = malloc(sizeof(*letter) + LETTER_MAX);
		if (!letter)
			return; /* its other pieces find no beginning and are dropped */
		letter->from = piece->from;
		letter->via = via;
		letter->kind = piece->kind;
		letter->bytes = 0;
		letter->next = partial;
		partial = letter;
		at = &partial;
	}
	if (!letter || letter->kind != piece->kind)
		return;
	if (letter->bytes + piece->bytes > LETTER_MAX) {
		drop_partial(at);
		return;
	}
	memcpy(letter->data + letter->bytes, piece->data, piece->bytes);
	letter->bytes += piece->bytes;
	if (!(piece->flags & PIECE_LAST))
		return;
	*at = letter->next;
	deliver(letter->from, letter->kind, letter->data, letter->bytes);
	free(letter);
}

static bool piece_rx(u32 neighbour, const struct msg *m)
{
	struct msg_piece piece;

	memcpy(&piece, m->payload, sizeof(piece));
	if (piece.to >= self.ncores || piece.from >= self.ncores || piece.kind >= LETTER_KINDS ||
	    piece.bytes > PIECE_BYTES || dead[piece.from])
		return true;
	if (piece.to != self.core)
		link_send(next_hop(piece.to), MSG_PIECE, &piece, sizeof(piece));
	else if (piece.flags == (PIECE_FIRST | PIECE_LAST))
		deliver(piece.from, piece.kind, piece.data, piece.bytes);
	else
		collect(&piece, neighbour);
	return true;
}

void route_init(void)
{
	parents = calloc(self.ncores, sizeof(*parents));
	dead = calloc(self.ncores, sizeof(*dead));
	if (!parents || !dead)
		rt_panic("monitor: no memory for its routes");
	for (u32 core = 0; core < self.ncores; core++)
		parents[core] = self.cores[core].parent;
	link_handle(MSG_MONITOR, piece_rx);
}
