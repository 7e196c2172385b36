/*
 * A few cores that agree, and a network between them: for unit tests and the benchmark.
 *
 * Everything is done at once and in a fixed order: no chance, no delay, unless a test holds a
 * channel back. What a core asks its owner for (fencing, closing, unmapping) is done by the
 * network. Results are kept by token.
 */
#ifndef NET_H
#define NET_H

#include <errno.h>

#include <agree/agree.h>
#include <agree/map.h>
#include <agree/names.h>
#include <memown/memown.h>
#include <skerry/types.h>

#define NET_CORES  64u
#define NET_TOKENS 64u
#define NET_GRAINS 4u     /* MEMOWN_GRAINs in a core's share of memory */
#define NET_WAITS  0x7777 /* no result yet */
#define NET_SECOND 1000000000ul

struct net_line {
	struct net_line *next;
	u16 from, to, type;
	u64 time;
	u32 depth; /* lines that had to come before, one after the other, and this one */
	u8 payload[AGREE_LINE];
};

struct net_core {
	struct agree *agree;
	struct agree_out *out;
	struct names names;
	struct memown memown;
	bool dead;
	bool stalled; /* hears nothing */
	u64 clock;
	u32 depth;   /* of the deepest line it has received */
	u64 handled; /* lines sent and received */
	u64 free;    /* bit map of the grains its allocator has */
	u64 retired; /* of those of the dead that are its now */
	u64 mapped;  /* and of those it maps of others */
};

struct net {
	u32 ncores;
	struct net_core core[NET_CORES];
	struct net_line *first, **end;
	struct machine *machine;
	u64 room[1024];
	struct agree_memory memory;
	u64 fail_after; /* allocations until one fails; 0: none */
	size_t allocated;
	u64 now_ns;
	s64 result[NET_CORES][NET_TOKENS];
	u64 answered_at[NET_CORES][NET_TOKENS];
	u32 answered_depth[NET_CORES][NET_TOKENS];
	u64 lines;
	u32 fenced, recalled;
	u32 send_cost, receive_cost; /* of the clocks; 0 and 0: everything is at once */
	bool auto_recall;
};

/* Start @ncores cores, @per_socket to a socket. */
void net_start(struct net *n, u32 ncores, u32 per_socket, enum agree_strategy strategy);
void net_end(struct net *n);

/* Deliver lines until none is left that can be. */
void net_run(struct net *n);

/* Deliver just one line. False if there is none. */
bool net_step(struct net *n);

/* Let @ns pass, a quarter of a second at a time, and run. */
void net_pass(struct net *n, u64 ns);

/* Stop @core. Lines it sent and that are under way are lost. */
void net_kill(struct net *n, u32 core);

/* The lines of type @type that @core has sent; all cores if it is NO_CORE. */
u64 net_sent(const struct net *n, u32 core, u32 type);

/* Short forms: a map on @core; a change of it; its value there. */
u64 net_map(struct net *n, u32 core);
int net_set(struct net *n, u32 core, u64 id, u32 key, u64 value, u64 token);
u64 net_get(struct net *n, u32 core, u64 id, u32 key);

/* Give cores 0 to @n - 1 a replica of @id. */
void net_share_all(struct net *n, u64 id, u32 cores);

#endif
