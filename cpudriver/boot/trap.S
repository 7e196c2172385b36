/*
 * Where exceptions in the loader arrive: the processor's frame is completed by an error code, where
 * it pushed none, and the vector; then trap() in trap.c, which does not return.
 */
#define TRAPS	    32
#define TRAP_ALIGN  16
#define WITH_ERRORS 0x60227d00	/* vectors with an error code: Intel SDM vol. 3A, table 6-1 */

	.text
	.code64
	.balign	TRAP_ALIGN
	.globl	trap_stubs
trap_stubs:
	.set	vector, 0
	.rept	TRAPS
	.balign	TRAP_ALIGN
	.if	(WITH_ERRORS >> vector & 1) == 0
	pushq	$0
	.endif
	pushq	$vector
	jmp	1f
	.set	vector, vector + 1
	.endr
1:	movq	%rsp, %rdi
	andq	$-16, %rsp
	cld
	call	trap

	.section .note.GNU-stack, "", @progbits
