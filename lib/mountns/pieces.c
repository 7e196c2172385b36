/*
 * Calls with arguments and answers of any length, over calls that carry SHARD_BYTES_MAX.
 *
 *   MOUNTS_PIECE ... MOUNTS_PIECE, the call -> handler -> answer, MOUNTS_FETCH ... MOUNTS_FETCH
 *
 * What has gone ahead, or waits to be fetched, is kept by core and number, and dropped when that
 * core dies.
 *
 * Runs in: the personality, host tests.
 */
#include "internal.h"

#include <stdlib.h>

#define PIECE_BYTES  (SHARD_BYTES_MAX - 256u)
#define ANSWER_BYTES 4096u
#define BLOB_MAX     (256 * MiB)

struct blob {
	struct blob *next;
	u32 core;
	bool answer; /* to be fetched by @core; else arguments of it */
	u64 id;
	size_t len, total;
	u8 *at;
};

/* --- Bytes --- */

static bool reserve(struct bytes *b, size_t more)
{
	size_t room = b->room ? b->room : 256;
	u8 *at;

	while (room - b->len < more)
		room *= 2;
	if (room != b->room && !b->broken) {
		at = realloc(b->at, room);
		b->broken = !at;
		b->at = at ? at : b->at;
		b->room = at ? room : b->room;
	}
	return !b->broken;
}

void bytes_put(struct bytes *b, const void *from, size_t len)
{
	if (!reserve(b, len) || !len)
		return;
	memcpy(b->at + b->len, from, len);
	b->len += len;
}

void bytes_free(struct bytes *b)
{
	free(b->at);
	*b = (struct bytes){0};
}

int piece_read(struct piece *p, void *to, size_t len)
{
	if (p->left < len)
		return -EBADMSG;
	memcpy(to, p->at, len);
	p->at += len;
	p->left -= len;
	return 0;
}

void args_begin(struct bytes *args)
{
	const struct shard_mounts_head head = {0};

	*args = (struct bytes){0};
	bytes_put(args, &head, sizeof(head));
}

struct piece answer_of(const struct bytes *answer)
{
	return (struct piece){answer->at, answer->len};
}

/* --- Blobs --- */

static struct blob *blob_find(const struct mountns *m, u32 core, u64 id, bool answer)
{
	struct blob *b = m->blobs;

	while (b && (b->core != core || b->id != id || b->answer != answer))
		b = b->next;
	return b;
}

static struct blob *blob_new(struct mountns *m, u32 core, u64 id, bool answer, u64 total)
{
	struct blob *b = total <= BLOB_MAX ? calloc(1, sizeof(*b)) : NULL;

	if (!b)
		return NULL;
	b->at = malloc(total ? total : 1);
	if (!b->at) {
		free(b);
		return NULL;
	}
	b->core = core;
	b->id = id;
	b->answer = answer;
	b->total = total;
	b->next = m->blobs;
	m->blobs = b;
	return b;
}

static void blob_free(struct mountns *m, struct blob *b)
{
	struct blob **at = &m->blobs;

	while (*at != b)
		at = &(*at)->next;
	*at = b->next;
	free(b->at);
	free(b);
}

void pieces_core_died(struct mountns *m, u32 core)
{
	struct blob *next;

	for (struct blob *b = m->blobs; b; b = next) {
		next = b->next;
		if (b->core == core)
			blob_free(m, b);
	}
}

void pieces_free(struct mountns *m)
{
	while (m->blobs)
		blob_free(m, m->blobs);
}

static s64 piece_rx(struct shard_request *r)
{
	const struct shard_mounts_piece *p = shard_args(r, sizeof(*p));
	struct mountns *m = r->arg;
	struct blob *b;

	if (!p || p->bytes != r->bytes - sizeof(*p))
		return -EBADMSG;
	b = blob_find(m, r->core, p->blob, false);
	if (!b && !p->at)
		b = blob_new(m, r->core, p->blob, false, p->total);
	if (!b)
		return p->at ? -EBADMSG : -ENOMEM;
	if (p->at != b->len || p->bytes > b->total - b->len) {
		blob_free(m, b);
		return -EBADMSG;
	}
	memcpy(b->at + b->len, p + 1, p->bytes);
	b->len += p->bytes;
	return 0;
}

static s64 fetch_rx(struct shard_request *r)
{
	const struct shard_mounts_piece *p = shard_args(r, sizeof(*p));
	struct mountns *m = r->arg;
	struct blob *b = p ? blob_find(m, r->core, p->blob, true) : NULL;
	void *to;

	if (!b || p->at > b->len || p->bytes > b->len - p->at)
		return -EBADMSG;
	to = shard_answer(r, (u32)p->bytes);
	if (!to)
		return -ENOMEM;
	memcpy(to, b->at + p->at, p->bytes);
	if (p->at + p->bytes == b->len)
		blob_free(m, b);
	return 0;
}

/* --- Asking --- */

static s64 send_ahead(struct mountns *m, u32 core, u64 id, const struct bytes *args)
{
	for (size_t at = 0; at < args->len;) {
		size_t n = MIN(args->len - at, (size_t)PIECE_BYTES);
		const struct shard_mounts_piece piece = {id, at, n, args->len};
		const struct shard_in in[] = {{&piece, sizeof(piece)}, {args->at + at, (u32)n}};
		struct shard_parts parts = {.in = in, .nin = ARRAY_SIZE(in)};
		s64 err = shard_call_parts(m->net, core, MOUNTS_PIECE, &parts);

		if (err)
			return err;
		at += n;
	}
	return 0;
}

static s64 fetch(struct mountns *m, u32 core, const struct shard_mounts_head *head,
		 struct bytes *answer)
{
	if (head->bytes > BLOB_MAX || !reserve(answer, head->bytes))
		return -ENOMEM;
	while (answer->len < head->bytes) {
		u64 n = MIN(head->bytes - answer->len, (u64)PIECE_BYTES);
		const struct shard_mounts_piece piece = {head->blob, answer->len, n, 0};
		u32 got = 0;
		s64 err = shard_call(m->net, core, MOUNTS_FETCH, &piece, sizeof(piece),
				     answer->at + answer->len, (u32)n, &got);

		if (err || got != n)
			return err ? err : -EBADMSG;
		answer->len += n;
	}
	return 0;
}

s64 mountns_call(struct mountns *m, u32 core, u16 op, struct bytes *args, struct bytes *answer)
{
	struct shard_mounts_head head = {0};
	const struct shard_in in = {args->at, (u32)args->len};
	struct shard_in ahead = {&head, sizeof(head)};
	u8 room[ANSWER_BYTES];
	const struct shard_out out = {room, sizeof(room)};
	struct shard_parts parts = {.in = &in, .nin = 1, .out = &out, .nout = 1};
	s64 result, err;

	if (answer)
		*answer = (struct bytes){0};
	if (args->broken)
		return -ENOMEM;
	if (args->len > SHARD_BYTES_MAX) {
		head.blob = ++m->blob_ids;
		head.bytes = args->len;
		err = send_ahead(m, core, head.blob, args);
		if (err)
			return err;
		parts.in = &ahead;
	}
	result = shard_call_parts(m->net, core, op, &parts);
	if (!answer || parts.got < sizeof(head))
		return result;
	memcpy(&head, room, sizeof(head));
	if (head.blob) {
		err = fetch(m, core, &head, answer);
		return err ? err : result;
	}
	bytes_put(answer, room + sizeof(head), parts.got - sizeof(head));
	return answer->broken ? -ENOMEM : result;
}

int mountns_tell(struct mountns *m, u32 core, u16 op, const void *args, u32 len)
{
	u8 all[sizeof(struct shard_mounts_head) + 64] = {0};

	if (len)
		memcpy(all + sizeof(struct shard_mounts_head), args, len);
	return shard_tell(m->net, core, op, all, (u32)sizeof(struct shard_mounts_head) + len);
}

/* --- Serving --- */

static mountns_handler *const handlers[] = {
	open_rx, drop_rx, update_rx, users_rx, change_rx, make_rx,
	give_rx, take_rx, moved_rx,  ended_rx, flush_rx,  claim_rx,
};

static_assert(ARRAY_SIZE(handlers) == MOUNTS_OPS_END - MOUNTS_OPEN, "one for each");

/* What goes back: at once, or kept to be fetched. */
static s64 give_answer(struct shard_request *r, const struct bytes *answer, s64 result)
{
	struct mountns *m = r->arg;
	struct shard_mounts_head head = {.bytes = answer->len};
	u32 bytes = (u32)sizeof(head) + (u32)answer->len;
	struct blob *b = NULL;
	u8 *to;

	if (answer->broken)
		return -ENOMEM;
	if (!answer->len || !r->is_call)
		return result;
	if (answer->len > r->room - sizeof(head)) {
		b = blob_new(m, r->core, ++m->blob_ids, true, answer->len);
		if (!b)
			return -ENOMEM;
		memcpy(b->at, answer->at, answer->len);
		b->len = answer->len;
		head.blob = b->id;
		bytes = sizeof(head);
	}
	to = shard_answer(r, bytes);
	if (!to) {
		if (b)
			blob_free(m, b);
		return -ENOMEM;
	}
	memcpy(to, &head, sizeof(head));
	if (!b)
		memcpy(to + sizeof(head), answer->at, answer->len);
	return result;
}

static s64 serve(struct shard_request *r)
{
	const struct shard_mounts_head *head = shard_args(r, sizeof(*head));
	struct mountns *m = r->arg;
	struct piece args = {(const u8 *)r->args + sizeof(*head), r->bytes - sizeof(*head)};
	struct bytes answer = {0};
	struct blob *b = NULL;
	bool held = hold(m);
	s64 result;

	if (head && head->blob) {
		b = blob_find(m, r->core, head->blob, false);
		if (b)
			args = (struct piece){b->at + sizeof(*head), b->len - sizeof(*head)};
	}
	if (!head || (head->blob && (!b || b->len != b->total || b->len < sizeof(*head)))) {
		release(m, held);
		return -EBADMSG;
	}
	if (b)
		b->id = 0; /* nobody finds it again */
	result = handlers[r->op - MOUNTS_OPEN](m, r->core, args, &answer);
	if (b)
		blob_free(m, b);
	result = give_answer(r, &answer, result);
	bytes_free(&answer);
	release(m, held);
	return result;
}

int pieces_serve(struct mountns *m)
{
	int err = shard_serve(m->net, MOUNTS_PIECE, piece_rx, m);

	if (!err)
		err = shard_serve(m->net, MOUNTS_FETCH, fetch_rx, m);
	for (u32 op = MOUNTS_OPEN; op < MOUNTS_OPS_END && !err; op++)
		err = shard_serve(m->net, (u16)op, serve, m);
	return err;
}
