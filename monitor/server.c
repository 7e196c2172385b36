/*
 * See server.h. Each request has a function here that checks what the program said and calls who
 * knows; a function returns w0 of the answer and leaves other words in the request.
 */
#include "server.h"
#include "agreed.h"
#include "agreement.h"
#include "channel.h"
#include "cmdline.h"
#include "console.h"
#include "export.h"
#include "lend.h"
#include "link.h"
#include "monitor.h"
#include "power.h"
#include "program.h"
#include "route.h"
#include "serial.h"
#include "task.h"
#include <rt/slots.h>
#include <string.h>

struct request {
	struct program *from;
	u64 *w;         /* w[1] to w[4]: arguments, then answer */
	const u8 *page; /* the program's call page: it waits, so nothing changes there */
	cap_t cap;      /* that came along; CAP_NONE once taken over; else dropped in the end */
	cap_t send;     /* to go with the answer */
};

typedef s64 serve_fn(struct request *r);

static cap_t receive_slot;

static s64 serve_print(struct request *r)
{
	if (r->w[1] > PAGE_SIZE)
		return -EINVAL;
	return console_print((const char *)r->page, (u32)r->w[1]);
}

/* ---- memory ---- */

static s64 serve_alloc(struct request *r)
{
	struct program *p = r->from;
	u64 type = r->w[1], bytes = r->w[2];
	cap_t block;

	if ((type != CAP_RAM && type != CAP_FRAME && type != CAP_TABLE) || bytes == 0 ||
	    bytes > 1ul << MEM_MAX_ORDER ||
	    (type == CAP_TABLE && bytes > TABLE_PAGES_MAX * PAGE_SIZE))
		return -EINVAL;
	block = mem_new(bytes, p->number);
	lend_check();
	if (block == CAP_NONE && type == CAP_FRAME)
		return lend_frame_new(bytes, p->number, &r->w[1], &r->send, &r->w[2]);
	if (block == CAP_NONE)
		return -ENOMEM;
	r->send = type == CAP_RAM ? block : mem_object(block, (u32)type);
	if (r->send == CAP_NONE) {
		mem_put(block);
		return -ENOMEM;
	}
	r->w[1] = block;
	r->w[2] = mem_bytes(block);
	return 0;
}

static s64 serve_free(struct request *r)
{
	if (lend_frame_put(r->w[1], r->from->number) == 0)
		return 0;
	if (export_holds(r->w[1]))
		return -EBUSY;
	if (!mem_is_owned(r->w[1], r->from->number) || r->w[1] == r->from->block)
		return -EINVAL;
	mem_put((cap_t)r->w[1]);
	return 0;
}

static s64 serve_export(struct request *r)
{
	return export_new(r->from, r->w[1], &r->w[1], &r->w[2]);
}

static s64 serve_imported(struct request *r)
{
	r->send = import_frame(r->from, (u32)MIN(r->w[1], UINT32_MAX));
	return r->send == CAP_NONE ? -ENOENT : 0;
}

static s64 serve_memory(struct request *r)
{
	r->w[1] = mem_free_bytes();
	r->w[2] = mem_owner_bytes(r->from->number);
	return 0;
}

/* ---- programs ---- */

static s64 serve_spawn(struct request *r)
{
	static struct mon_spawn what;
	cap_t gift = r->cap;

	memcpy(&what, r->page, sizeof(what));
	if (what.priority > PRIORITY_SERVICE)
		return -EINVAL;
	r->cap = CAP_NONE;
	return task_new(r->from, (u32)MIN(r->w[1], UINT32_MAX), &what, gift, NULL);
}

static s64 serve_stop(struct request *r)
{
	return task_stop(r->from, (u32)r->w[1]);
}

static s64 serve_forget(struct request *r)
{
	return task_forget(r->from, (u32)r->w[1]);
}

static s64 serve_watch(struct request *r)
{
	r->from->watches_cores = true;
	agree_watch(agreement);
	return 0;
}

static s64 serve_notice(struct request *r)
{
	const struct notice *notice = program_take_notice(r->from);

	if (!notice)
		return -EAGAIN;
	r->w[1] = notice->object;
	r->w[2] = notice->a;
	r->w[3] = notice->b;
	return notice->what;
}

/* ---- channels ---- */

static s64 serve_listen(struct request *r)
{
	const char *name = (const char *)r->page;
	s64 number = channel_listen(r->from, name);

	if (number > 0)
		serial_service_listens(r->from, name);
	return number;
}

static s64 serve_open(struct request *r)
{
	struct mon_open what;

	memcpy(&what, r->page, sizeof(what));
	return channel_open(r->from, (u32)MIN(r->w[1], UINT32_MAX), &what, NULL);
}

static s64 serve_attach(struct request *r)
{
	struct channel_view view;
	int err = -EINVAL;

	if (r->w[2] < r->from->start->slots)
		err = channel_attach(r->from, (u32)r->w[1], (cap_t)r->w[2], &view);
	if (err)
		return err;
	r->w[1] = view.peer_core;
	r->w[2] = view.region_bytes;
	r->w[3] = view.ring_bytes;
	return 0;
}

static s64 serve_close(struct request *r)
{
	return channel_close(r->from, (u32)r->w[1]);
}

/* ---- the machine ---- */

static s64 serve_poweroff(struct request *r)
{
	if (!r->from->privileged)
		return -EPERM;
	if (r->w[2])
		power_restart();
	else
		power_off((s64)r->w[1]);
	return 0;
}

static s64 serve_core(struct request *r)
{
	const struct machine_core *core;

	if (r->w[1] >= self.ncores)
		return -EINVAL;
	core = &self.cores[r->w[1]];
	r->w[1] = core->apic_id;
	r->w[2] = core->node;
	r->w[3] = core->socket;
	r->w[4] = core->parent;
	return 0;
}

static s64 serve_node(struct request *r)
{
	const struct machine *m = self.machine;
	u64 node = r->w[1], other = r->w[2];

	if (node >= m->nnodes || other >= m->nnodes)
		return -EINVAL;
	r->w[1] = 0;
	for (u32 i = 0; i < m->nmem; i++) {
		const struct machine_mem *mem = &machine_mem(m)[i];

		if (mem->type == MACHINE_MEM_RAM && mem->node == node)
			r->w[1] += mem->bytes;
	}
	r->w[2] = machine_distance(m, (u32)node, (u32)other);
	r->w[3] = m->nnodes;
	return 0;
}

static s64 serve_halt_core(struct request *r)
{
	struct letter_count letter = {.count = (s64)r->w[2]};

	if (!cmdline_number("faults", 0))
		return -EPERM;
	if (r->w[1] >= self.ncores || r->w[2] > HALT_PANIC)
		return -EINVAL;
	return route_send((u32)r->w[1], LETTER_HALT, &letter, sizeof(letter));
}

static void halt_rx(u32 from, const void *data, u32 bytes)
{
	const struct letter_count *letter = data;

	(void)from;
	(void)bytes;
	if (cmdline_number("faults", 0))
		sys_core_halt(SLOT_CORE, (u32)letter->count);
}

static s64 serve_counts(struct request *r)
{
	struct domain_count count;

	if (!link_counts((u32)(r->w[1] / MSG_CLASSES), (u32)(r->w[1] % MSG_CLASSES), &count))
		return -ENOENT;
	r->w[1] = count.core | (u64)count.class << 16;
	r->w[2] = count.sent;
	r->w[3] = count.received;
	return 0;
}

static s64 serve_authority(struct request *r)
{
	if (!r->from->privileged || !cmdline_number("tests", 0))
		return -EPERM;
	r->send = SLOT_CORE;
	return 0;
}

static s64 serve_image(struct request *r)
{
	if (!r->from->privileged)
		return -EPERM;
	r->send = SLOT_IMAGE;
	r->w[1] = self.boot->image_bytes;
	return 0;
}

/* ---- what cores agree on ---- */

static s64 serve_agreed(struct request *r)
{
	return agreed_serve(r->from, r->w, r->page);
}

/* ---- all of them ---- */

static serve_fn *const serve[MON_COUNT] = {
	[MON_PRINT] = serve_print,
	[MON_ALLOC] = serve_alloc,
	[MON_FREE] = serve_free,
	[MON_SPAWN] = serve_spawn,
	[MON_STOP] = serve_stop,
	[MON_FORGET] = serve_forget,
	[MON_LISTEN] = serve_listen,
	[MON_OPEN] = serve_open,
	[MON_ATTACH] = serve_attach,
	[MON_CLOSE] = serve_close,
	[MON_NOTICE] = serve_notice,
	[MON_WATCH] = serve_watch,
	[MON_POWEROFF] = serve_poweroff,
	[MON_CORE] = serve_core,
	[MON_NODE] = serve_node,
	[MON_MEMORY] = serve_memory,
	[MON_HALT_CORE] = serve_halt_core,
	[MON_COUNTS] = serve_counts,
	[MON_AUTHORITY] = serve_authority,
	[MON_IMAGE] = serve_image,
	[MON_NAME_REGISTER] = serve_agreed,
	[MON_NAME_UNREGISTER] = serve_agreed,
	[MON_NAME_LOOKUP] = serve_agreed,
	[MON_OBJECT] = serve_agreed,
	[MON_LIVE] = serve_agreed,
	[MON_BORROW] = serve_agreed,
	[MON_EXPORT] = serve_export,
	[MON_IMPORT] = serve_agreed,
	[MON_IMPORTED] = serve_imported,
	[MON_REVOKE] = serve_agreed,
};

static s64 serve_request(struct request *r)
{
	u64 what = r->w[0];

	if (!r->from)
		return -EINVAL; /* it died while its call was on the way */
	if (what >= MON_COUNT)
		return -ENOSYS;
	return serve[what](r);
}

/* Where the next capability goes. Without a free slot it is dropped: a later call tries again. */
static void renew_receive_slot(void)
{
	receive_slot = slot_new();
	slot_receive_calls(receive_slot);
}

void server_call(const struct sys_wait *got, bool with_cap)
{
	struct sys_words words = got->words;
	struct request r = {
		.from = program_by_badge(got->first),
		.w = words.w,
		.cap = with_cap ? receive_slot : CAP_NONE,
	};

	if (r.from)
		r.page = (const u8 *)r.from->start + PAGE_SIZE;
	words.w[0] = (u64)serve_request(&r);
	if (sys_reply(SEND_CAP(r.send), &words)) { /* the capability cannot be given away */
		words.w[0] = (u64)-EPERM;
		sys_reply(0, &words);
	}
	if (!with_cap && receive_slot != CAP_NONE)
		return;
	slot_drop(r.cap);
	renew_receive_slot();
}

void server_init(void)
{
	route_handle(LETTER_HALT, halt_rx, sizeof(struct letter_count));
	renew_receive_slot();
}
