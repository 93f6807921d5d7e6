// One source for several instruction sets: a function marked CULTIVAR_CLONES is compiled for each of them, and the
// dynamic loader binds the version for this CPU. Write its loops so that the compiler can vectorise them.
#pragma once

#if defined(__x86_64__) && defined(__ELF__) && defined(__GNUC__) && !defined(__clang__)
#define CULTIVAR_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CULTIVAR_CLONES
#endif

// Inlined helpers are compiled for the instruction set of their caller.
#define CULTIVAR_INLINE inline __attribute__((always_inline))

namespace cultivar {

// The instruction set in use on this CPU: "x86-64-v4" (AVX-512), "x86-64-v3" (AVX2 and FMA), or "default".
const char* kernel_instruction_set();

}  // namespace cultivar
