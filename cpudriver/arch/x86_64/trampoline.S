/*
 * How every core but the first starts: real mode, protected mode, long mode, CPU driver.
 *
 * This code never runs where it is linked. core_fill_startup() (lib/corestart) copies it to a page
 * below 1 MiB, adds the page's address to the pointers in its head, and lists the cores that its
 * parent starts behind it; each of them gets a STARTUP interrupt for the page, comes out of it at
 * the first byte in real mode, and finds its own entry by its APIC id. Several cores may be in here
 * at a time: nothing is written, not even a stack. A core that finds no entry halts for ever.
 *
 * The code is data to the CPU driver, whose own pages are never writable and executable.
 *
 * Source: Intel SDM vol. 3A, 9.4 (INIT and STARTUP), 10.8 (long mode).
 */
#include "arch/x86_64/longmode.inc"
#include <corestart/startup.h>

	.section .rodata.startup, "a"
	.balign 16
	.globl	startup_begin, startup_end
	.code16
startup_begin:
	jmp	real_mode
	.balign 8
gdtr:
	.word	START_GDT_BYTES - 1
	.long	gdt - startup_begin
	.word	0
far32:
	.long	protected_mode - startup_begin
	.long	SEL_START_CODE32
far64:
	.long	long_mode - startup_begin
	.long	SEL_KERNEL_CS
	.long	0	/* low_tables */
	.long	0	/* count */

	.balign 8
gdt:
	START_GDT

real_mode:
	cli
	cld
	movw	%cs, %ax
	movw	%ax, %ds
	xorl	%esi, %esi
	movw	%ax, %si
	shll	$4, %esi	/* the page's address, kept from here on */
	lgdtl	(gdtr - startup_begin)
	movl	$0x11, %eax	/* protection on, caches too */
	movl	%eax, %cr0
	ljmpl	*(far32 - startup_begin)

	.code32
protected_mode:
	movl	$SEL_KERNEL_SS, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	xorl	%eax, %eax
	movl	%eax, %fs
	movl	%eax, %gs
	ENTER_LONG_MODE STARTUP_LOW_TABLES(%esi)
	ljmpl	*(far64 - startup_begin)(%esi)

	.code64
long_mode:
	movl	%esi, %esi	/* the upper half is not defined after the mode switch */

	/* The x2APIC id where the processor tells it (SDM vol. 2A, CPUID leaf 0BH), else 8 bits. */
	xorl	%eax, %eax
	cpuid
	cmpl	$0xb, %eax
	jb	old_id
	movl	$0xb, %eax
	xorl	%ecx, %ecx
	cpuid
	testl	%ebx, %ebx
	jnz	find
old_id:
	movl	$1, %eax
	cpuid
	shrl	$24, %ebx
	movl	%ebx, %edx
find:
	movl	STARTUP_COUNT(%rsi), %ecx
	leaq	STARTUP_CODE_BYTES(%rsi), %rbx
next:
	subl	$1, %ecx
	jb	lost
	cmpl	%edx, CHILD_APIC_ID(%rbx)
	je	found
	addq	$CHILD_BYTES, %rbx
	jmp	next
lost:
	cli
	hlt
	jmp	lost
found:
	/* All is read before the switch, after which the page is there only to be left. */
	movq	CHILD_BOOT_ROOT(%rbx), %rax
	movq	CHILD_HANDOFF_VA(%rbx), %rdi
	movq	CHILD_KERNEL_ENTRY(%rbx), %rcx
	movq	%rax, %cr3
	jmp	*%rcx
startup_end:

	.org	startup_begin + STARTUP_CODE_BYTES	/* the assembler refuses if the code is longer */
	.section .note.GNU-stack, "", @progbits
