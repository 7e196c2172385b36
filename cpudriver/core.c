/*
 * The authority over a core: starting and stopping others, I/O ports, stopping itself.
 */
#include "arch/x86_64/apic.h"
#include "arch/x86_64/cpu.h"
#include "domain.h"
#include "kernel.h"
#include "log.h"
#include "syscall.h"

static int find_core(u64 core, u64 apic_id)
{
	struct cap *authority;
	int err = cap_find((cap_t)core, CAP_CORE, RIGHT_WRITE, &authority);

	if (err)
		return err;
	return apic_id == boot.apic_id || apic_id >= UINT32_MAX ? -EINVAL : 0;
}

s64 call_core_init(u64 core, u64 id)
{
	int err = find_core(core, id);

	return err ? err : apic_send_init((u32)id);
}

s64 call_core_startup(u64 core, u64 id, u64 page)
{
	int err = find_core(core, id);

	if (!err && page >= 256)
		err = -EINVAL;
	return err ? err : apic_send_startup((u32)id, (u32)page);
}

s64 call_core_halt(u64 core, u64 how)
{
	struct cap *authority;
	int err = cap_find((cap_t)core, CAP_CORE, RIGHT_WRITE, &authority);

	if (err)
		return err;
	if (how == HALT_SILENT)
		cpu_stop();
	if (how == HALT_PANIC)
		panic_regs(&current->regs, "asked for by %s", current->info.name);
	return -EINVAL;
}

s64 call_core_mint(u64 core, u64 to)
{
	struct cap *authority, *dst, copy;
	int err = cap_find_mint(core, RIGHT_RING, to, &authority, &dst);

	if (err)
		return err;
	copy = (struct cap){.type = CAP_CORE, .rights = RIGHT_RING | RIGHT_GRANT};
	cap_insert(dst, &copy, authority);
	return 0;
}

/* ---- I/O ports ---- */

s64 call_ioport_mint(u64 core, u64 first, u64 last, u64 to)
{
	struct cap *authority, *dst;
	int err = cap_find_mint(core, RIGHT_WRITE, to, &authority, &dst);

	if (err)
		return err;
	if (first > last || last > UINT16_MAX)
		return -EINVAL;
	cap_insert(dst,
		   &(struct cap){.type = CAP_IOPORT,
				 .rights = RIGHTS_ALL,
				 .mem = {.base = first, .bytes = last - first + 1}},
		   authority);
	return 0;
}

/* Whether the capability covers @bytes from @port on. */
static int find_port(u64 ioport, u64 port, u64 bytes)
{
	struct cap *cap;
	int err = cap_find((cap_t)ioport, CAP_IOPORT, RIGHT_WRITE, &cap);

	if (err)
		return err;
	if (port < cap->mem.base || port - cap->mem.base >= cap->mem.bytes ||
	    bytes > cap->mem.bytes - (port - cap->mem.base))
		return -EINVAL;
	return 0;
}

s64 call_io(u64 ioport, u64 port, u64 op, u64 value)
{
	int err = op > IO_OUT32 || op == 3 ? -EINVAL : find_port(ioport, port, 1ul << (op & 3));

	if (err)
		return err;
	switch (op) {
	case IO_IN8:
		return inb((u16)port);
	case IO_IN16:
		return inw((u16)port);
	case IO_IN32:
		return inl((u16)port);
	case IO_OUT8:
		outb((u16)port, (u8)value);
		return 0;
	case IO_OUT16:
		outw((u16)port, (u16)value);
		return 0;
	default:
		outl((u16)port, (u32)value);
		return 0;
	}
}

s64 call_io_write(u64 ioport, u64 port, u64 from, u64 bytes)
{
	u8 text[IO_WRITE_MAX];
	int err = bytes > sizeof(text) ? -EINVAL : find_port(ioport, port, 1);

	if (!err)
		err = user_read(text, from, bytes);
	if (err)
		return err;
	for (u64 i = 0; i < bytes; i++)
		outb((u16)port, text[i]);
	return (s64)bytes;
}
