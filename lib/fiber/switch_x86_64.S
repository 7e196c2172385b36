/*
 * Changing stacks on x86-64.
 *
 * A stack that is not running has on its top, from low to high addresses:
 *
 *   mxcsr (4 bytes), x87 control word (2), unused (2), r15, r14, r13, r12, rbx, rbp, return address
 *
 * that is, what the System V ABI (AMD64 supplement 1.0, 3.2.3) wants preserved across a call.
 * fiber_start() builds the same by hand for a new stack.
 */
	.text

/* void fiber_switch_stack(void **save, void *load) */
	.globl	fiber_switch_stack
	.type	fiber_switch_stack, @function
fiber_switch_stack:
	pushq	%rbp
	pushq	%rbx
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	subq	$8, %rsp
	stmxcsr	(%rsp)
	fnstcw	4(%rsp)
	movq	%rsp, (%rdi)

	movq	%rsi, %rsp
	ldmxcsr	(%rsp)
	fldcw	4(%rsp)
	addq	$8, %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	popq	%rbp
	ret
	.size	fiber_switch_stack, . - fiber_switch_stack

/* The first return address of a stack: rbx is the fiber, rbp 0, where a backtrace ends. */
	.globl	fiber_first
	.type	fiber_first, @function
fiber_first:
	movq	%rbx, %rdi
	call	fiber_main
	ud2
	.size	fiber_first, . - fiber_first

	.section .note.GNU-stack, "", @progbits
