/*
 * The life of domains. See domain.h.
 */
#include "domain.h"
#include "aspace.h"
#include "irq.h"
#include "kernel.h"
#include "log.h"
#include "object.h"
#include "sched.h"
#include "syscall.h"
#include "arch/x86_64/cpu.h"

struct domain *domains;
u32 domain_count;
struct domain *monitor;

void domain_init(struct domain *d)
{
	d->state = DOMAIN_NEW;
	d->death_bit = EVENTS;
	d->next = domains;
	if (domains)
		domains->prev = d;
	domains = d;
	domain_count++;
}

void domain_post(struct domain *d, u64 events)
{
	if (d->state == DOMAIN_DEAD)
		return;
	d->events |= events;
	if (d->state == DOMAIN_WAITING && d->events & d->wait_mask)
		ipc_wake_events(d);
}

/* Everyone who has to do with a domain that is dead now. */
static void tell_others(struct domain *d)
{
	for (struct domain *o = domains; o; o = o->next) {
		if (o->supervisor == d)
			o->supervisor = NULL;
	}
	ipc_domain_gone(d);
	irq_domain_gone(d);
	if (d->supervisor && d->death_bit < EVENTS)
		domain_post(d->supervisor, 1ul << d->death_bit);
	d->supervisor = NULL;
}

void domain_die(struct domain *d, u32 death, s64 status)
{
	static const char *const how[] = {
		[DEATH_EXIT] = "exited", [DEATH_STOP] = "was stopped", [DEATH_FAULT] = "failed"};

	if (d->state == DOMAIN_DEAD)
		return;
	if (d == monitor) /* nobody is left to decide anything here */
		panic_regs(&d->regs, "the monitor %s", how[death]);
	sched_block(d, d->state);
	d->info.death = death;
	d->info.status = status;
	tell_others(d); /* while its state still says whom it waits for */
	d->state = DOMAIN_DEAD;
	d->full = 0;
	sched_forget(d);
}

void domain_fault(struct domain *d, u32 vector, u64 error, u64 address)
{
	d->info.vector = vector;
	d->info.error = (u32)error;
	d->info.rip = d->regs.rip;
	d->info.address = address;
	log_printf("core %u: domain %s stopped by exception %u, error 0x%lx, address 0x%lx\n",
		   boot.core, d->info.name, vector, error, address);
	domain_backtrace(d->image_offset, d->regs.rip, d->regs.rbp);
	domain_die(d, DEATH_FAULT, 0);
}

void domain_destroy(struct domain *d)
{
	domain_die(d, DEATH_STOP, 0);
	if (d->prev)
		d->prev->next = d->next;
	else
		domains = d->next;
	if (d->next)
		d->next->prev = d->prev;
	domain_count--;
}

void domain_aspace_gone(struct aspace *aspace)
{
	for (struct domain *d = domains; d; d = d->next) {
		if (d->aspace == aspace) {
			domain_die(d, DEATH_STOP, 0);
			d->aspace = NULL;
		}
	}
}

void domain_table_gone(struct cap *table)
{
	for (struct domain *d = domains; d; d = d->next) {
		if (d->table == table) {
			domain_die(d, DEATH_STOP, 0);
			d->table = NULL;
			d->slots = 0;
		}
	}
}

static int check_setup(const struct domain *d, const struct domain_setup *s, struct cap **aspace,
		       struct cap **cnode)
{
	int err = cap_find(s->aspace, CAP_ASPACE, RIGHT_OWN, aspace);

	if (!err)
		err = cap_find(s->cnode, CAP_CNODE, RIGHT_WRITE, cnode);
	if (err)
		return err;
	if (d->state != DOMAIN_NEW || d->aspace)
		return -EBUSY;
	if (((struct aspace *)(*aspace)->obj.ptr)->for_contexts)
		return -EINVAL;
	if (s->entry >= USER_END || s->stack > USER_END || s->priority >= PRIORITIES ||
	    s->death_bit > EVENTS || s->image_offset >= boot.image_bytes)
		return -EINVAL;
	return 0;
}

s64 call_domain_setup(u64 domain, u64 setup)
{
	struct cap *target, *aspace, *cnode;
	struct domain_setup s;
	struct domain *d;
	int err = cap_find((cap_t)domain, CAP_DOMAIN, RIGHT_OWN, &target);

	if (!err)
		err = user_read(&s, setup, sizeof(s));
	if (!err)
		err = check_setup(target->obj.ptr, &s, &aspace, &cnode);
	if (err)
		return err;
	d = target->obj.ptr;
	d->aspace = aspace->obj.ptr;
	d->table = cnode->obj.ptr;
	d->slots = cnode->obj.badge;
	d->regs = (struct regs){.rip = s.entry,
				.rsp = s.stack,
				.rdi = s.arg,
				.rflags = RFLAGS_FIXED | RFLAGS_IF,
				.rcx = s.entry,
				.r11 = RFLAGS_FIXED | RFLAGS_IF};
	d->priority = s.priority;
	d->death_bit = s.death_bit;
	d->supervisor = current;
	d->image_offset = s.image_offset;
	memcpy(d->info.name, s.name, sizeof(d->info.name) - 1);
	return 0;
}

s64 call_domain_start(u64 domain)
{
	struct cap *target;
	struct domain *d;
	int err = cap_find((cap_t)domain, CAP_DOMAIN, RIGHT_OWN, &target);

	if (err)
		return err;
	d = target->obj.ptr;
	if (d->state != DOMAIN_NEW || !d->aspace)
		return -EBUSY;
	sched_wake(d);
	return 0;
}

s64 call_domain_stop(u64 domain)
{
	struct cap *target;
	struct domain *self = current;
	int err = cap_find((cap_t)domain, CAP_DOMAIN, RIGHT_OWN, &target);

	if (err)
		return err;
	domain_die(target->obj.ptr, DEATH_STOP, 0);
	return current == self ? 0 : CALL_DONE;
}

s64 call_domain_exit(u64 status)
{
	domain_die(current, DEATH_EXIT, (s64)status);
	return CALL_DONE;
}

s64 call_domain_info(u64 domain, u64 info)
{
	struct cap *target;
	struct domain *d = current;
	int err;

	if (domain) {
		err = cap_find((cap_t)domain, CAP_DOMAIN, RIGHT_READ, &target);
		if (err)
			return err;
		d = target->obj.ptr;
	}
	d->info.state = d->state;
	return user_write(info, &d->info, sizeof(d->info));
}
