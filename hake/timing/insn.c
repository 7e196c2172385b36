/*
 * Which instructions cost more than others, or mean something to the model.
 *
 * A small decoder of x86-64's prefixes and opcodes (Intel's manual, volume 2, appendix A): it has
 * to know only those it looks for, and to take nothing else for one of them.
 */
#include "timing.h"

#include <string.h>

/* An instruction, taken apart as far as it matters. */
struct parts {
	const uint8_t *op; /* at the opcode */
	size_t left;       /* bytes from there */
	bool lock, rep;
	uint8_t rex;   /* its low bits: W, R, X, B */
	uint8_t modrm; /* of a two-byte opcode, else of a one-byte one */
};

static bool is_prefix(uint8_t byte)
{
	switch (byte) {
	case 0x26:
	case 0x2e:
	case 0x36:
	case 0x3e:
	case 0x64:
	case 0x65:
	case 0x66:
	case 0x67:
	case 0xf0:
	case 0xf2:
	case 0xf3:
		return true;
	default:
		return byte >= 0x40 && byte <= 0x4f;
	}
}

static struct parts take_apart(const uint8_t *code, size_t len)
{
	struct parts p = {.op = code, .left = len};

	for (; p.left && is_prefix(*p.op); p.op++, p.left--) {
		p.lock |= *p.op == 0xf0;
		p.rep |= *p.op == 0xf3;
		p.rex = (*p.op & 0xf0) == 0x40 ? *p.op & 0xf : 0;
	}
	if (p.left >= 3 && p.op[0] == 0x0f)
		p.modrm = p.op[2];
	else if (p.left >= 2)
		p.modrm = p.op[1];
	return p;
}

static bool in_memory(const struct parts *p)
{
	return p->modrm >> 6 != 3;
}

static uint8_t reg_of(const struct parts *p)
{
	return p->modrm >> 3 & 7;
}

/* 0F AE: saving and loading state, fences, flushing lines. */
static void look_0fae(const struct parts *p, struct insn_info *i)
{
	if (!in_memory(p))
		i->cycles = reg_of(p) >= 5 ? timing.machine.fence : 0;
	else if (reg_of(p) == 7)
		i->cycles = timing.machine.fence;
	else if (reg_of(p) != 2 && reg_of(p) != 3)
		i->cycles = timing.machine.xsave;
}

/* 0F 01: system instructions by ModRM. */
static void look_0f01(const struct parts *p, struct insn_info *i)
{
	if (p->modrm == 0xf9) {
		i->cycles = timing.machine.rdtsc;
		i->event = INSN_TSC;
	} else if (in_memory(p) && reg_of(p) == 7) {
		i->cycles = timing.machine.invlpg;
		i->event = INSN_INVLPG;
	}
}

static void look_wrmsr(uint64_t ecx, struct insn_info *i)
{
	i->cycles = timing.machine.wrmsr;
	/* Of the registers only the APIC's start anything in QEMU's main loop: timer, ICR. The
	 * deadline of the time-stamp counter is 6E0. */
	if (ecx == UINT64_MAX || (ecx >= 0x800 && ecx <= 0x8ff) || ecx == 0x6e0)
		i->event = INSN_IO;
}

static void look_0f(const struct parts *p, uint64_t ecx, struct insn_info *i)
{
	const struct machine *m = &timing.machine;

	switch (p->op[1]) {
	case 0x01:
		look_0f01(p, i);
		break;
	case 0x05:
	case 0x34:
		i->cycles = m->syscall;
		break;
	case 0x07:
	case 0x35:
		i->cycles = m->sysret;
		break;
	case 0x1f:
		if (p->left == 8 && p->op[2] == 0x84 && p->op[3] == 0x00) {
			memcpy(&i->marker, p->op + 4, 4);
			if (i->marker >= MARKER_ON && i->marker <= MARKER_LAST)
				i->event = INSN_MARKER;
		}
		break;
	case 0x22:
		if (reg_of(p) == 3) {
			i->cycles = m->cr3_write;
			i->event = INSN_CR3;
		}
		break;
	case 0x30:
		look_wrmsr(ecx, i);
		break;
	case 0x31:
		i->cycles = m->rdtsc;
		i->event = INSN_TSC;
		break;
	case 0x32:
		i->cycles = m->rdmsr;
		break;
	case 0xa2:
		i->cycles = m->cpuid;
		break;
	case 0xae:
		look_0fae(p, i);
		break;
	case 0xc7:
		if (in_memory(p) && reg_of(p) >= 3 && reg_of(p) <= 5)
			i->cycles = m->xsave;
		break;
	default:
		break;
	}
}

/* 66 0F 38 82: INVPCID flushes like a CR3 write. */
static bool is_invpcid(const struct parts *p)
{
	return p->left >= 4 && p->op[0] == 0x0f && p->op[1] == 0x38 && p->op[2] == 0x82;
}

struct insn_info insn_look(const uint8_t *code, size_t len, uint64_t ecx)
{
	struct parts p = take_apart(code, len);
	struct insn_info i = {.atomic = p.lock};

	if (!p.left)
		return i;
	if (is_invpcid(&p)) {
		i.cycles = timing.machine.cr3_write;
		i.event = INSN_CR3;
	} else if (p.op[0] == 0x0f && p.left >= 2) {
		look_0f(&p, ecx, &i);
	} else if (p.op[0] == 0x90 && p.rep) {
		i.cycles = timing.machine.pause;
		i.event = INSN_PAUSE;
	} else if (p.op[0] == 0xcf) {
		i.cycles = timing.machine.iret;
	} else if ((p.op[0] & 0xfe) == 0x86 && in_memory(&p)) {
		i.atomic = true;
	} else if ((p.op[0] & 0xf4) == 0xe4 || (p.op[0] & 0xfc) == 0x6c) {
		/* IN and OUT: E4 to E7, EC to EF, 6C to 6F. */
		if (p.op[0] != 0xe8 && p.op[0] != 0xe9 && p.op[0] != 0xea && p.op[0] != 0xeb) {
			i.cycles = timing.machine.mmio;
			i.event = INSN_IO;
		}
	} else if (p.op[0] == 0xb9 && p.left == 5) {
		i.sets_ecx = true;
		memcpy(&i.ecx, p.op + 1, 4);
	}
	return i;
}

#define RSP 4
#define RBP 5

/* Only moves of 64 bits are looked for; "mov %rbp, %rsp" ends a function and stays on its stack. */
enum insn_flow insn_flow(const uint8_t *code, size_t len)
{
	struct parts p = take_apart(code, len);
	uint8_t rm = (p.modrm & 7) | (p.rex & 1) << 3, reg = reg_of(&p) | (p.rex & 4) << 1;

	if (!p.left)
		return INSN_STAYS;
	switch (p.op[0]) {
	case 0xe8:
		return INSN_CALL;
	case 0xff:
		return (reg_of(&p) | 1) == 3 ? INSN_CALL : INSN_STAYS;
	case 0x8b:
		return reg == RSP && (in_memory(&p) || rm != RBP) ? INSN_MOVES_SP : INSN_STAYS;
	case 0x89:
		return rm == RSP && !in_memory(&p) && reg != RBP ? INSN_MOVES_SP : INSN_STAYS;
	case 0x87:
		return reg == RSP || (rm == RSP && !in_memory(&p)) ? INSN_MOVES_SP : INSN_STAYS;
	case 0x5c:
		return p.rex & 1 ? INSN_STAYS : INSN_MOVES_SP;
	default:
		return INSN_STAYS;
	}
}
