/*
 * Ownership of memory, one core's part: start, end, and who gets which message.
 *
 * Runs in: the monitor, and host programs.
 */
#include "internal.h"

void *memown_alloc(struct memown *m, size_t bytes)
{
	return m->memory.alloc(m->memory.ctx, bytes);
}

void memown_free(struct memown *m, void *p, size_t bytes)
{
	m->memory.free(m->memory.ctx, p, bytes);
}

void memown_result(struct memown *m, u64 token, s64 status)
{
	struct agree_out o = {.kind = AGREE_OUT_RESULT,
			      .core = (u16)agree_self(m->agree),
			      .token = token,
			      .status = status};

	agree_out_add(m->agree, &o);
}

/* The core in whose share @base is, or NO_CORE. */
u32 memown_share_of(struct memown *m, u64 base)
{
	const struct machine *machine = m->tree.machine;

	for (u32 core = 0; core < machine->ncores; core++) {
		const struct machine_core *c = &machine_cores(machine)[core];

		if (base >= c->mem_base && base - c->mem_base < c->mem_bytes)
			return core;
	}
	return NO_CORE;
}

u32 memown_distance(const struct memown *m, u32 from, u32 to)
{
	const struct machine_core *cores = machine_cores(m->tree.machine);

	return machine_distance(m->tree.machine, cores[from].node, cores[to].node);
}

static struct memown *of(struct agree_client *c)
{
	return container_of(c, struct memown, client);
}

static void unmap_decode(struct memown *m, u32 from, const void *msg, u32 len)
{
	const struct msg_memown_unmap *u = msg;
	struct core_set set;

	if (len < sizeof(*u) || u->set_len > len - sizeof(*u) ||
	    u->owner >= m->tree.machine->ncores ||
	    !core_set_unpack(&set, u->set_at, (const u8 *)(u + 1), u->set_len,
			     m->tree.machine->ncores))
		return;
	unmap_rx(m, from, u, &set);
}

static void rx(struct agree_client *c, u32 from, u16 type, const void *msg, u32 len)
{
	struct memown *m = of(c);

	if (type == MEMOWN_UNMAP) {
		unmap_decode(m, from, msg, len);
		return;
	}
	if (len != sizeof(struct msg_memown))
		return;
	switch (type) {
	case MEMOWN_ASK:
		borrow_ask_rx(m, from, msg);
		break;
	case MEMOWN_OFFER:
		borrow_offer_rx(m, from, msg);
		break;
	case MEMOWN_DECLINE:
		borrow_decline_rx(m, from, msg);
		break;
	case MEMOWN_MAP:
		map_rx(m, from, msg);
		break;
	case MEMOWN_MAPPED:
		mapped_rx(m, from, msg);
		break;
	case MEMOWN_DROP:
		drop_rx(m, from, msg);
		break;
	case MEMOWN_UNMAPPED:
		unmapped_rx(m, from, msg);
		break;
	}
}

static void closing(struct agree_client *c, u32 core)
{
	mapping_closing(of(c), core);
}

static void view(struct agree_client *c)
{
	borrow_view(of(c));
	mapping_view(of(c));
}

static void owed(struct agree_client *c, struct core_set *set)
{
	borrow_owed(of(c), set);
	mapping_owed(of(c), set);
}

static bool step(struct agree_client *c)
{
	return borrow_step(of(c)) || mapping_step(of(c));
}

/* Who owns a share whose ledger died with all its replicas: see memown.h. */
static u32 heir(const struct agree *a, u64 id)
{
	const struct machine *machine = agree_machine(a);
	const struct machine_core *cores = machine_cores(machine);
	u32 birth = agree_id_birth(id), best = NO_CORE, best_distance = 0;

	for (u32 core = 0; core < machine->ncores; core++) {
		u32 d = machine_distance(machine, cores[birth].node, cores[core].node);

		if (core_set_has(agree_dead(a), core) || (best != NO_CORE && d >= best_distance))
			continue;
		best = core;
		best_distance = d;
	}
	return best;
}

/* What tells ledger_create() that the ledger is new, and so this core's, not one to install. */
static const void *anew(const struct agree *a, u64 id)
{
	static const u8 mark;

	(void)a;
	(void)id;
	return &mark;
}

int memown_init(struct memown *m, struct agree *a, const struct agree_config *cfg, u32 type,
		const struct memown_ops *ops)
{
	u32 ncores = cfg->machine->ncores;
	int err = 0;

	m->agree = a;
	m->memory = cfg->memory;
	m->ops = *ops;
	m->tree = (struct agree_tree){cfg->machine, cfg->strategy, cfg->fanout ? cfg->fanout : 8,
				      cfg->self};
	m->next_req = 1;
	m->client = (struct agree_client){rx, closing, view, owed, step, NULL};
	m->ledgers = memown_alloc(m, ncores * sizeof(m->ledgers[0]));
	if (!m->ledgers)
		return -ENOMEM;
	for (u32 core = 0; core < ncores && !err; core++) {
		m->ledgers[core] = (struct agree_wellknown){
			.id = LEDGER_ID(core), .type = type, .heir = heir, .arg = anew};
		err = agree_wellknown(a, &m->ledgers[core]);
	}
	agree_client_add(a, &m->client);
	return err;
}

void memown_fini(struct memown *m)
{
	borrow_fini(m);
	mapping_fini(m);
	if (m->ledgers)
		memown_free(m, m->ledgers, m->tree.machine->ncores * sizeof(m->ledgers[0]));
}

u32 memown_owner(struct memown *m, u64 base)
{
	u32 share = memown_share_of(m, base);
	const void *ledger = share == NO_CORE ? NULL : agree_state(m->agree, LEDGER_ID(share));

	return ledger ? ledger_owner(ledger, base, 1) : NO_CORE;
}

u32 memown_ledger(struct memown *m, u32 core, struct ledger_range *out, u32 max)
{
	const void *ledger = agree_state(m->agree, LEDGER_ID(core));

	return ledger ? ledger_read(ledger, out, max) : 0;
}
