/*
 * Constants that C and assembly share: where registers lie in struct regs, selectors, vectors.
 * The C side asserts the offsets (arch/x86_64/regs.h).
 */
#ifndef ARCH_ASM_H
#define ARCH_ASM_H

#define R_RAX          0
#define R_RBX          8
#define R_RCX          16
#define R_RDX          24
#define R_RSI          32
#define R_RDI          40
#define R_RBP          48
#define R_RSP          56
#define R_R8           64
#define R_R9           72
#define R_R10          80
#define R_R11          88
#define R_R12          96
#define R_R13          104
#define R_R14          112
#define R_R15          120
#define R_RIP          128
#define R_RFLAGS       136
#define R_FS_BASE      144
#define R_GS_BASE      152
#define R_BYTES        160
#define D_FULL         160 /* struct domain's full, behind its registers */
#define C_REASON       160 /* struct context_state, behind the same */
#define C_XSTATE       512

#define NUMBER_RUN     24 /* CALL_RUN, EXIT_SYSCALL */
#define REASON_SYSCALL 0

/* The same selectors as Linux's, because signal frames show them to programs. */
#define SEL_KERNEL_CS      0x10
#define SEL_KERNEL_SS      0x18
#define SEL_USER32_CS      0x23
#define SEL_USER_SS        0x2b
#define SEL_USER_CS        0x33
#define SEL_TSS            0x40

#define KERNEL_STACK_BYTES 8192
#define ENTRY_STACK_BYTES  512
#define TRAP_STUB_BYTES    16
#define IST_STACK_BYTES    2048

#define VECTOR_DB          1
#define VECTOR_NMI         2
#define VECTOR_BP          3
#define VECTOR_OF          4
#define VECTOR_DF          8
#define VECTOR_GP          13
#define VECTOR_PF          14
#define VECTOR_MC          18
#define VECTOR_DOORBELL    0x30 /* the first of DOORBELLS */
#define VECTOR_IRQ         0x90 /* the first of IRQS */
#define VECTOR_TIMER       0xf0
#define VECTOR_SPURIOUS    0xff

#endif
