/*
 * What an access to memory costs: private caches, the socket's cache, coherence, memory.
 *
 * The state of a line of memory is one record: who may write it, which sockets may have copies, a
 * version. A cache holds (line, version); taking a line for writing makes a new version, so every
 * other copy is stale without being looked for. A line moves once at a time (free_at), and a line
 * that changed hands lately is hot: who is ahead of another core waits before touching it, so that
 * the order of accesses is the order of clocks and not of the host.
 *
 * Only the holder of the slot runs this code; see timing.h.
 */
#include "timing.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define LINE_SHIFT 6
#define PAGE_SHIFT 12
#define NOBODY     0 /* else a core's index + 1 */
#define MANY       0xffff
#define HOT        (20000 * MILLI)
#define MAX_NODES  64
#define STREAMS    8
/* Of meters: so many bins, of so many millicycles. */
#define NBINS 64
#define BIN   (500 * MILLI)
/* A core that spins looks again after so many cycles, written line or not. */
#define LONGEST_PARK 20000

struct line {
	uint32_t version;
	uint16_t owner;  /* core that may write it, or NOBODY */
	uint16_t sharer; /* core that has the only copy, NOBODY or MANY */
	uint64_t sockets : 63, watched : 1;
	uint64_t free_at;
	uint64_t hot_until : 63, dirty : 1;
};

struct way {
	uint64_t line;
	uint32_t version;
};

struct cache {
	uint64_t nsets;
	uint32_t nways;
	struct way ways[];
};

struct tlb_entry {
	uint64_t vpage, space, gen, ppage;
};

struct node {
	uint64_t start, end;
	uint32_t socket;
};

/* Lines that follow each other: a prefetcher has the next before it is asked for. */
struct streams {
	uint64_t next[STREAMS];
	uint32_t confirmed[STREAMS], turn;
};

/* A resource of limited bandwidth: how much of each stretch of time is taken, in millicycles. */
struct meter {
	uint64_t bin[NBINS], used[NBINS];
};

static struct {
	struct line *lines;
	uint64_t nlines;
	struct cache *llc[MAX_SOCKETS];
	struct node nodes[MAX_NODES];
	uint32_t nnodes, nparts;
	struct meter dram[MAX_SOCKETS], link[MAX_SOCKETS];
	uint64_t dram_service, link_service; /* millicycles a line occupies them */
	struct streams streams[MAX_CORES];
} mem;

/* --- Bandwidth --- */

/* How long a transfer waits that occupies @meter for @service. Clocks differ by a quantum, so
 * requests do not come in order: what counts is how much there is in each bin of time. */
static uint64_t queue(struct meter *meter, uint64_t service, uint64_t now)
{
	uint64_t first = now / BIN;

	for (uint64_t b = first; b < first + NBINS; b++) {
		uint64_t i = b % NBINS;

		if (meter->bin[i] < b) {
			meter->bin[i] = b;
			meter->used[i] = 0;
		}
		if (meter->bin[i] != b || meter->used[i] + service > BIN)
			continue;
		meter->used[i] += service;
		return b == first ? 0 : b * BIN - now;
	}
	return NBINS * BIN;
}

/* --- Caches --- */

static struct cache *new_cache(uint64_t kib, uint64_t nways)
{
	uint64_t nsets = kib * 1024 / (1 << LINE_SHIFT) / nways;
	struct cache *cache = calloc(1, sizeof(*cache) + nsets * nways * sizeof(struct way));

	if (!cache)
		return NULL;
	cache->nsets = nsets;
	cache->nways = (uint32_t)nways;
	return cache;
}

static struct way *set_of(struct cache *cache, uint64_t line)
{
	bool power = (cache->nsets & (cache->nsets - 1)) == 0;

	return &cache->ways[(power ? line & (cache->nsets - 1) : line % cache->nsets) *
			    cache->nways];
}

/* Whether it has this version; if so, it was used last. Line 0 is never cached: the zeroes. */
static bool cache_has(struct cache *cache, uint64_t line, uint32_t version)
{
	struct way *set = set_of(cache, line), found;

	for (uint32_t i = 0; i < cache->nways; i++) {
		if (set[i].line != line)
			continue;
		if (set[i].version != version)
			return false;
		found = set[i];
		memmove(set + 1, set, i * sizeof(*set));
		set[0] = found;
		return true;
	}
	return false;
}

/* Put it in; what had to go (line 0: nothing). */
static struct way cache_put(struct cache *cache, uint64_t line, uint32_t version)
{
	struct way *set = set_of(cache, line), gone = {0};
	uint32_t i = 0;

	while (i < cache->nways - 1 && set[i].line != line)
		i++;
	if (set[i].line != line)
		gone = set[i];
	memmove(set + 1, set, i * sizeof(*set));
	set[0] = (struct way){line, version};
	return gone;
}

static void llc_put(uint32_t socket, uint64_t line, uint32_t version, uint64_t now)
{
	struct way gone = cache_put(mem.llc[socket], line, version);
	struct line *l = &mem.lines[gone.line];

	/* Writing back occupies the memory of that socket, roughly where it lives. */
	if (gone.line && l->version == gone.version && l->owner == NOBODY && l->dirty) {
		l->dirty = false;
		queue(&mem.dram[socket], mem.dram_service, now);
	}
}

/* @c's private caches get it; what they lose that only they had goes to the socket's. */
static void fill(struct core *c, uint64_t line, uint32_t version, uint64_t now)
{
	struct way gone;

	cache_put(c->l1, line, version);
	gone = cache_put(c->l2, line, version);
	if (gone.line && mem.lines[gone.line].version == gone.version)
		llc_put(c->socket, gone.line, gone.version, now);
}

/* --- Costs. All in millicycles; @now is @c's clock. --- */

static uint16_t id_of(const struct core *c)
{
	return (uint16_t)(c->index + 1);
}

static uint64_t with_jitter(struct core *c, uint64_t cycles)
{
	uint64_t cost = cycles * MILLI, range = cost * timing.jitter / 100;

	if (!range)
		return cost;
	c->random ^= c->random << 13;
	c->random ^= c->random >> 7;
	c->random ^= c->random << 17;
	return cost - range + c->random % (2 * range + 1);
}

static uint64_t far(struct core *c, uint64_t cycles, uint64_t now)
{
	c->stats.far++;
	return queue(&mem.link[c->socket], mem.link_service, now) + with_jitter(c, cycles);
}

static uint64_t near(struct core *c, uint64_t cycles)
{
	c->stats.near++;
	return with_jitter(c, cycles);
}

static uint32_t home_socket(uint64_t line)
{
	uint64_t paddr = line << LINE_SHIFT;

	for (uint32_t i = 0; i < mem.nparts; i++)
		if (paddr >= mem.nodes[i].start && paddr < mem.nodes[i].end)
			return mem.nodes[i].socket;
	return 0;
}

/* Whether @line continues a stream of @c's. */
static bool streaming(struct core *c, uint64_t line)
{
	struct streams *s = &mem.streams[c->index];

	for (uint32_t i = 0; i < STREAMS; i++) {
		if (s->next[i] != line)
			continue;
		s->next[i]++;
		return ++s->confirmed[i] > 2;
	}
	s->next[s->turn] = line + 1;
	s->confirmed[s->turn] = 0;
	s->turn = (s->turn + 1) % STREAMS;
	return false;
}

static uint64_t from_dram(struct core *c, uint64_t line, bool ahead, uint64_t now)
{
	uint32_t home = home_socket(line);
	bool local = home == c->socket;
	uint64_t wait = queue(&mem.dram[home], mem.dram_service, now);

	*(local ? &c->stats.dram_local : &c->stats.dram_remote) += 1;
	if (!local)
		wait += queue(&mem.link[home], mem.link_service, now + wait);
	/* Fetched ahead: what is left is the bandwidth. */
	if (ahead)
		return wait + timing.machine.l2_hit * MILLI;
	return wait +
	       with_jitter(c, local ? timing.machine.dram_local : timing.machine.dram_remote);
}

/* The line from where it is, for @c that has no valid copy in L1. */
static uint64_t fetch(struct core *c, uint64_t line, struct line *l, uint64_t now)
{
	const struct machine *m = &timing.machine;
	struct core *o = l->owner != NOBODY ? &timing.cores[l->owner - 1] : NULL;
	bool ahead;

	if (cache_has(c->l2, line, l->version)) {
		c->stats.l2_hits++;
		return m->l2_hit * MILLI;
	}
	if (o && o != c && cache_has(o->l2, line, l->version))
		return o->socket == c->socket ? near(c, m->near_dirty) : far(c, m->far_dirty, now);
	ahead = streaming(c, line);
	if (cache_has(mem.llc[c->socket], line, l->version)) {
		c->stats.llc_hits++;
		return (ahead ? m->l2_hit : m->llc_hit) * MILLI;
	}
	for (uint64_t others = l->sockets & ~(1ull << c->socket); others; others &= others - 1) {
		uint32_t s = (uint32_t)__builtin_ctzll(others);

		if (cache_has(mem.llc[s], line, l->version))
			return far(c, m->far_clean, now);
	}
	return from_dram(c, line, ahead, now);
}

/* Making all other copies invalid. */
static uint64_t invalidate(struct core *c, const struct line *l, uint64_t now)
{
	if (l->sharer == NOBODY || l->sharer == id_of(c))
		return 0;
	c->stats.upgrades++;
	if (l->sockets & ~(1ull << c->socket))
		return far(c, timing.machine.far_upgrade, now);
	return near(c, timing.machine.near_upgrade);
}

/* Those who spin on @line may look. */
static void wake_watchers(uint64_t line, struct line *l, uint64_t clock)
{
	l->watched = false;
	for (uint32_t i = 0; i < timing.ncores; i++) {
		struct core *w = &timing.cores[i];

		if (w->state != CORE_PARKED)
			continue;
		for (uint32_t k = 0; k < w->spin.nlines; k++)
			if (w->spin.line[k] == line)
				slot_unpark(i, clock);
	}
}

/* --- An access --- */

static void read_line(struct core *c, uint64_t line, struct line *l)
{
	uint64_t now = core_clock(c), wait = l->free_at > now ? l->free_at - now : 0, cost;
	bool moved = l->owner != NOBODY && l->owner != id_of(c);

	cost = wait + fetch(c, line, l, now + wait);
	if (moved) {
		/* The owner keeps a clean copy, and so does each socket. */
		llc_put(timing.cores[l->owner - 1].socket, line, l->version, now);
		l->owner = NOBODY;
		l->free_at = now + cost;
		l->hot_until = now + cost + HOT;
	} else if (l->hot_until > now && l->sharer != id_of(c)) {
		l->free_at = now + wait + timing.machine.directory * MILLI;
	}
	l->sharer = l->sharer == NOBODY || l->sharer == id_of(c) ? id_of(c) : MANY;
	l->sockets |= 1ull << c->socket;
	fill(c, line, l->version, now);
	llc_put(c->socket, line, l->version, now);
	*c->spent += cost;
	c->stats.stall += cost;
}

static void write_line(struct core *c, uint64_t line, struct line *l, bool have)
{
	uint64_t now = core_clock(c), wait = l->free_at > now ? l->free_at - now : 0;
	uint64_t data = 0, others, cost;
	bool moved = l->sharer != NOBODY && l->sharer != id_of(c);

	if (!have)
		data = fetch(c, line, l, now + wait);
	others = invalidate(c, l, now + wait);
	cost = wait + (data > others ? data : others);
	l->version++;
	l->owner = id_of(c);
	l->sharer = id_of(c);
	l->sockets = 1ull << c->socket;
	l->dirty = true;
	if (moved) {
		l->free_at = now + cost;
		l->hot_until = now + cost + HOT;
	}
	fill(c, line, l->version, now);
	*c->spent += cost;
	c->stats.stall += cost;
	if (l->watched)
		wake_watchers(line, l, now + cost);
}

/* Remember what is read between two PAUSEs. */
static void note_spin(struct core *c, uint64_t line, bool store)
{
	uint32_t i = 0;

	c->spin.nstores += store;
	while (i < c->spin.nlines && i < SPIN_LINES && c->spin.line[i] != line)
		i++;
	if (i < SPIN_LINES && i == c->spin.nlines)
		c->spin.line[c->spin.nlines++] = line;
	else if (i == SPIN_LINES)
		c->spin.nstores++; /* too many lines for a spin loop */
}

void memory_access(struct core *c, uint64_t paddr, bool store, bool atomic)
{
	uint64_t line = paddr >> LINE_SHIFT;
	struct line *l;
	bool write = store || atomic, have;

	if (line >= mem.nlines || line == 0) {
		core_charge(c, timing.machine.mmio);
		return;
	}
	/* The second half of a locked instruction: it has the line since the first. */
	if (atomic && store)
		return;
	l = &mem.lines[line];
	*(store ? &c->stats.stores : &c->stats.loads) += 1;
	note_spin(c, line, write);
	/* Also when it hits: others may want it at an earlier time than this core's. */
	if (l->hot_until > core_clock(c))
		slot_strict(c);
	have = cache_has(c->l1, line, l->version);
	if (atomic)
		core_charge(c, timing.machine.atomic);
	if (have && (!write || l->owner == id_of(c)))
		return;
	c->spin.nmisses++;
	if (!write)
		read_line(c, line, l);
	else
		write_line(c, line, l, have);
}

void memory_pause(struct core *c, uint64_t vaddr)
{
	bool idle = c->spin.at == vaddr && !c->spin.nstores && !c->spin.nmisses && c->spin.nlines;

	c->spin.rounds = idle ? c->spin.rounds + 1 : 0;
	if (idle && c->spin.rounds >= 2) {
		for (uint32_t i = 0; i < c->spin.nlines && idle; i++)
			idle = cache_has(c->l1, c->spin.line[i],
					 mem.lines[c->spin.line[i]].version);
		for (uint32_t i = 0; i < c->spin.nlines && idle; i++)
			mem.lines[c->spin.line[i]].watched = true;
		if (idle)
			slot_park(c, LONGEST_PARK);
	}
	c->spin.at = vaddr;
	c->spin.nlines = c->spin.nstores = c->spin.nmisses = 0;
}

/* --- Translation --- */

static struct tlb_entry *tlb_set(struct core *c, uint64_t vpage)
{
	uint64_t nsets = timing.machine.tlb_entries / timing.machine.tlb_ways;

	return &c->tlb[vpage % nsets * timing.machine.tlb_ways];
}

uint64_t memory_translate(struct core *c, uint64_t vaddr)
{
	uint64_t vpage = vaddr >> PAGE_SHIFT;
	struct tlb_entry *set = tlb_set(c, vpage), e;

	for (uint32_t i = 0; i < timing.machine.tlb_ways; i++) {
		e = set[i];
		if (e.vpage != vpage || e.space != c->space || e.gen != c->gen)
			continue;
		if (i) {
			memmove(set + 1, set, i * sizeof(e));
			set[0] = e;
		}
		return e.ppage << PAGE_SHIFT | (vaddr & ((1 << PAGE_SHIFT) - 1));
	}
	return UINT64_MAX;
}

void memory_translated(struct core *c, uint64_t vaddr, uint64_t paddr)
{
	uint64_t vpage = vaddr >> PAGE_SHIFT;
	struct tlb_entry *set = tlb_set(c, vpage);
	uint32_t i = 0, last = (uint32_t)timing.machine.tlb_ways - 1;

	while (i < last && !(set[i].vpage == vpage && set[i].space == c->space))
		i++;
	if (set[i].vpage != vpage || set[i].space != c->space) {
		core_charge(c, timing.machine.tlb_miss);
		c->stats.tlb_misses++;
	}
	memmove(set + 1, set, i * sizeof(*set));
	set[0] = (struct tlb_entry){vpage, c->space, c->gen, paddr >> PAGE_SHIFT};
}

void memory_flush_tlb(struct core *c, bool keep)
{
	c->gen++;
	if (!keep)
		c->space += 1ull << 52;
}

/* --- Beginning --- */

int memory_add_node(uint32_t node, uint64_t start, uint64_t size)
{
	if (mem.nparts == MAX_NODES || node >= MAX_NODES)
		return -1;
	mem.nodes[mem.nparts++] = (struct node){start, start + size, node};
	if (node >= mem.nnodes)
		mem.nnodes = node + 1;
	if ((start + size) >> LINE_SHIFT > mem.nlines)
		mem.nlines = (start + size) >> LINE_SHIFT;
	return 0;
}

static int new_core(struct core *c)
{
	const struct machine *m = &timing.machine;

	c->l1 = new_cache(m->l1_kib, m->l1_ways);
	c->l2 = new_cache(m->l2_kib, m->l2_ways);
	c->tlb = calloc(m->tlb_entries, sizeof(*c->tlb));
	c->gen = 1;
	return c->l1 && c->l2 && c->tlb ? 0 : -1;
}

void memory_reseed(void)
{
	for (uint32_t i = 0; i < timing.ncores; i++)
		timing.cores[i].random = (timing.seed + 1) * 0x9e3779b97f4a7c15ull + i;
}

int memory_init(void)
{
	const struct machine *m = &timing.machine;

	for (uint32_t i = 0; i < mem.nparts; i++)
		mem.nodes[i].socket = mem.nodes[i].socket * timing.nsockets / mem.nnodes;
	mem.lines = mmap(NULL, mem.nlines * sizeof(*mem.lines), PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (mem.lines == MAP_FAILED)
		return -1;
	for (uint32_t s = 0; s < timing.nsockets; s++) {
		mem.llc[s] = new_cache(m->llc_kib, m->llc_ways);
		if (!mem.llc[s])
			return -1;
	}
	for (uint32_t i = 0; i < timing.ncores; i++)
		if (new_core(&timing.cores[i]) != 0)
			return -1;
	mem.dram_service = 64ull * m->mhz * MILLI / m->dram_mbps;
	mem.link_service = 64ull * m->mhz * MILLI / m->link_mbps;
	memory_reseed();
	return 0;
}
