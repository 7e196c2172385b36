/*
 * Ways into the CPU driver and out of it.
 *
 * In:  _start (once), syscall_entry, trap_stubs (exceptions and interrupts).
 * Out: domain_return, context_enter, idle_enter.
 *
 * What is in .tramp.text and .tramp.data is mapped while foreign code runs, and nothing else: code
 * there may touch only .tramp.data until it has loaded tramp_cr3. Every entry saves the registers
 * of whoever ran at *tramp_regs, then starts the one kernel stack from its top, and every exit
 * abandons it: nothing is ever kept on that stack.
 */
#include "arch/x86_64/asm.h"

	/* ---- data of the trampoline ---- */

	.section .tramp.data, "aw", @progbits
	.balign 4096
	.globl tramp_regs, tramp_cr3, tramp_context_cr3, tramp_in_context
tramp_regs:		.quad 0
tramp_cr3:		.quad 0
tramp_context_cr3:	.quad 0
tramp_rax:		.quad 0
tramp_rsp:		.quad 0
tramp_in_context:	.long 0
	.balign 64
	.globl tss, idt, gdt
gdt:
	.quad 0
	.quad 0
	.quad 0x00af9b000000ffff	/* 0x10 code of ring 0 */
	.quad 0x00cf93000000ffff	/* 0x18 data of ring 0 */
	.quad 0x00cffb000000ffff	/* 0x20 code of ring 3, 32 bits: SYSRET's base, unused */
	.quad 0x00cff3000000ffff	/* 0x28 data of ring 3 */
	.quad 0x00affb000000ffff	/* 0x30 code of ring 3 */
	.quad 0
	.quad 0, 0			/* 0x40 TSS, filled by cpu_init */
gdt_end:
	.balign 64
tss:	.fill 104, 1, 0
	.balign 4096
idt:	.fill 4096, 1, 0

	/* Stacks on which the processor starts: for traps from ring 3, and IST 1 to 3. */
	.balign 4096
	.globl entry_stack_top, ist_stacks
	.fill ENTRY_STACK_BYTES, 1, 0
entry_stack_top:
ist_stacks:
	.fill 3 * IST_STACK_BYTES, 1, 0

	.section .rodata
	.globl gdt_pointer, idt_pointer
gdt_pointer:
	.word gdt_end - gdt - 1
	.quad gdt
idt_pointer:
	.word 4095
	.quad idt

	/* ---- saving and loading ---- */

	/* All general registers but rax and rsp, at \base; rcx and r11 as they are. */
	.macro save_registers base
	movq %rbx, R_RBX(\base)
	movq %rcx, R_RCX(\base)
	movq %rdx, R_RDX(\base)
	movq %rsi, R_RSI(\base)
	movq %rdi, R_RDI(\base)
	movq %rbp, R_RBP(\base)
	movq %r8, R_R8(\base)
	movq %r9, R_R9(\base)
	movq %r10, R_R10(\base)
	movq %r11, R_R11(\base)
	movq %r12, R_R12(\base)
	movq %r13, R_R13(\base)
	movq %r14, R_R14(\base)
	movq %r15, R_R15(\base)
	.endm

	/* All but rax, rcx, rdi, r11 and rsp, from rdi. */
	.macro load_registers
	movq R_RBX(%rdi), %rbx
	movq R_RDX(%rdi), %rdx
	movq R_RSI(%rdi), %rsi
	movq R_RBP(%rdi), %rbp
	movq R_R8(%rdi), %r8
	movq R_R9(%rdi), %r9
	movq R_R10(%rdi), %r10
	movq R_R12(%rdi), %r12
	movq R_R13(%rdi), %r13
	movq R_R14(%rdi), %r14
	movq R_R15(%rdi), %r15
	.endm

	/* All that SYSRET does not load itself, from rdi. */
	.macro load_for_sysret
	load_registers
	movq R_RIP(%rdi), %rcx
	movq R_RFLAGS(%rdi), %r11
	movq R_RAX(%rdi), %rax
	movq R_RSP(%rdi), %rsp
	movq R_RDI(%rdi), %rdi
	.endm

	/* The frame for IRET, on the present stack, and all registers that it does not hold. */
	.macro load_for_iret
	pushq $SEL_USER_SS
	pushq R_RSP(%rdi)
	pushq R_RFLAGS(%rdi)
	pushq $SEL_USER_CS
	pushq R_RIP(%rdi)
	load_registers
	movq R_RAX(%rdi), %rax
	movq R_RCX(%rdi), %rcx
	movq R_R11(%rdi), %r11
	movq R_RDI(%rdi), %rdi
	.endm

	/* ---- in ---- */

	.text
	.globl _start
_start:
	leaq kernel_stack_top(%rip), %rsp
	xorl %ebp, %ebp
	pushq $0
	jmp kernel_main

	.section .tramp.text, "ax", @progbits
	.balign 64
	.globl syscall_entry, syscall32_entry
syscall_entry:
	movq %rsp, tramp_rsp(%rip)
	cmpl $0, tramp_in_context(%rip)
	jne syscall_from_context
	movq tramp_regs(%rip), %rsp
	movq %rcx, R_RIP(%rsp)
	movq %r11, R_RFLAGS(%rsp)
	movq tramp_rsp(%rip), %rcx
	movq %rcx, R_RSP(%rsp)
	cmpq $NUMBER_RUN, %rax
	je syscall_of_run
	save_registers %rsp
	movq %rax, R_RAX(%rsp)
	movq %rsp, %rdi
	leaq kernel_stack_top(%rip), %rsp
	xorl %ebp, %ebp
	jmp syscall_domain

	/* RUN: its caller keeps rsp and rbp only, so no more is saved. */
syscall_of_run:
	movq %rbp, R_RBP(%rsp)
	leaq kernel_stack_top(%rip), %rsp
	xorl %ebp, %ebp
	jmp syscall_run

syscall_from_context:
	movq tramp_cr3(%rip), %rsp
	movq %rsp, %cr3
	movq tramp_regs(%rip), %rsp
	save_registers %rsp
	movq %rax, R_RAX(%rsp)
	movq %rcx, R_RIP(%rsp)
	movq %r11, R_RFLAGS(%rsp)
	movq tramp_rsp(%rip), %rcx
	movq %rcx, R_RSP(%rsp)
	jmp context_made_syscall

	/*
	 * A context's system call, with its registers saved at rsp: what context_exit() does, and
	 * straight back to the runner if nobody else must run. The runner gets the foreign code's
	 * registers, but for those used here, which are cleared: nothing of the CPU driver's.
	 */
	.text
context_made_syscall:
	movq %rsp, %rdi
	movl $0, tramp_in_context(%rip)
	movl $REASON_SYSCALL, C_REASON(%rdi)
	rdfsbase %rax
	movq %rax, R_FS_BASE(%rdi)
	rdgsbase %rax
	movq %rax, R_GS_BASE(%rdi)
	movl xstate_mask(%rip), %eax
	xorl %edx, %edx
	xsave64 C_XSTATE(%rdi)
	leaq xstate_initial(%rip), %rdi
	xrstor64 (%rdi)
	movq current(%rip), %rdi
	movq %rdi, tramp_regs(%rip)
	movq R_FS_BASE(%rdi), %rax
	wrfsbase %rax
	movl $REASON_SYSCALL, %eax
	cmpb $0, sched_pending(%rip)
	jne 1f
	movq R_RIP(%rdi), %rcx
	movq R_RFLAGS(%rdi), %r11
	movq R_RBP(%rdi), %rbp
	movq R_RSP(%rdi), %rsp
	xorl %edi, %edi
	sysretq
1:	movq %rax, R_RAX(%rdi)
	leaq kernel_stack_top(%rip), %rsp
	xorl %ebp, %ebp
	jmp sched_choose

	/* 32-bit SYSCALL exists on AMD only and is nobody's ABI here: as an invalid opcode. */
	.section .tramp.text
	.balign 16
syscall32_entry:
	movq %rcx, tramp_rax(%rip)
	movq %rsp, tramp_rsp(%rip)
	leaq entry_stack_top(%rip), %rsp
	pushq $SEL_USER_SS
	pushq tramp_rsp(%rip)
	pushq %r11
	pushq $SEL_USER32_CS
	pushq %rcx
	pushq $0
	pushq $6
	jmp trap_entry

	/*
	 * One stub a vector: push an error code where the processor does not (SDM vol. 3A, 6.15),
	 * push the vector, and go on together.
	 */
	.balign 16
	.globl trap_stubs
trap_stubs:
	vector = 0
	.rept 256
	.balign 16
	.if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || \
	      vector == 29 || vector == 30)
	pushq $0
	.endif
	pushq $vector
	.if vector == VECTOR_NMI || vector == VECTOR_DF || vector == VECTOR_MC
	jmp trap_fatal_entry
	.else
	jmp trap_entry
	.endif
	vector = vector + 1
	.endr

	/* On the entry stack or IST 1: vector, error, rip, cs, rflags, rsp, ss. */
	.balign 64
trap_entry:
	testb $3, 24(%rsp)
	jz trap_kernel_entry
	movq %rax, tramp_rax(%rip)
	cmpl $0, tramp_in_context(%rip)
	je 1f
	movq tramp_cr3(%rip), %rax
	movq %rax, %cr3
1:	movq tramp_regs(%rip), %rax
	save_registers %rax
	movq tramp_rax(%rip), %rcx
	movq %rcx, R_RAX(%rax)
	popq %rdi
	popq %rsi
	popq R_RIP(%rax)
	addq $8, %rsp
	popq R_RFLAGS(%rax)
	popq R_RSP(%rax)
	movabsq $trap_saved, %rcx
	jmp *%rcx

	.text
trap_saved:
	leaq kernel_stack_top(%rip), %rsp
	xorl %ebp, %ebp
	cld
	jmp trap_user

	/* A trap of the CPU driver itself: waiting for an interrupt, or a copy that faulted. */
	.section .tramp.text
trap_kernel_entry:
	pushq %rax
	pushq %rbx
	pushq %rcx
	pushq %rdx
	pushq %rsi
	pushq %rdi
	pushq %rbp
	pushq %r8
	pushq %r9
	pushq %r10
	pushq %r11
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	cld
	movq %rsp, %rdi
	movabsq $trap_kernel, %rax
	call *%rax
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %r11
	popq %r10
	popq %r9
	popq %r8
	popq %rbp
	popq %rdi
	popq %rsi
	popq %rdx
	popq %rcx
	popq %rbx
	popq %rax
	addq $16, %rsp
	iretq

	/* From anywhere, on a stack of its own, never to return. */
trap_fatal_entry:
	pushq %rax
	movq tramp_cr3(%rip), %rax
	movq %rax, %cr3
	popq %rax
	jmp trap_kernel_entry

	/* ---- out ---- */

	.text
	.globl domain_return
domain_return:
	movl D_FULL(%rdi), %eax
	testl %eax, %eax
	jnz 1f
	load_for_sysret
	sysretq
1:	movl $0, D_FULL(%rdi)
	leaq kernel_stack_top(%rip), %rsp
	load_for_iret
	iretq

	/*
	 * context_enter(struct context_state *st, u64 cr3, bool fast): fast if rcx and r11 hold what
	 * SYSRET leaves there anyway. The state is out of reach once CR3 is loaded.
	 */
	.section .tramp.text
	.balign 64
	.globl context_enter
context_enter:
	movq %rdi, tramp_regs(%rip)
	movl $1, tramp_in_context(%rip)
	testl %edx, %edx
	jz 1f
	movq R_RSP(%rdi), %rax
	movq %rax, tramp_rsp(%rip)
	movq %rsi, %rsp			/* nothing uses a stack from here on */
	load_registers
	movq R_RIP(%rdi), %rcx
	movq R_RFLAGS(%rdi), %r11
	movq R_RAX(%rdi), %rax
	movq R_RDI(%rdi), %rdi
	movq %rsp, %cr3
	movq tramp_rsp(%rip), %rsp
	sysretq
1:	movq %rsi, tramp_context_cr3(%rip)
	leaq entry_stack_top(%rip), %rsp
	load_for_iret
	movq %rax, tramp_rax(%rip)
	movq tramp_context_cr3(%rip), %rax
	movq %rax, %cr3
	movq tramp_rax(%rip), %rax
	iretq

	.text
	.globl idle_enter, idle_halt, idle_halt_end
idle_enter:
	leaq kernel_stack_top(%rip), %rsp
	xorl %ebp, %ebp
	sti
idle_halt:
	hlt
idle_halt_end:
	jmp idle_halt			/* woken by what is no interrupt: a STARTUP, an SMI */

	/* ---- copies that may fault: faults in them continue at the address beside (.fixups) ---- */

	.macro fixup at, to
	.pushsection .fixups, "a"
	.quad \at, \to
	.popsection
	.endm

	/* int copy_user(void *to, const void *from, u64 bytes): 0, or -EFAULT (14) */
	.globl copy_user
copy_user:
	movq %rdx, %rcx
	xorl %eax, %eax
	testb $1, cpu_has_smap(%rip)
	jz 1f
	stac
1:	shrq $3, %rcx
2:	rep movsq
	movl %edx, %ecx
	andl $7, %ecx
6:	rep movsb
	jmp 4f
3:	movl $-14, %eax
4:	testb $1, cpu_has_smap(%rip)
	jz 5f
	clac
5:	ret
	fixup 2b, 3b
	fixup 6b, 3b

	.bss
	.balign 4096
	.fill KERNEL_STACK_BYTES, 1, 0
	.globl kernel_stack_top
kernel_stack_top:

	.section .note.GNU-stack, "", @progbits
