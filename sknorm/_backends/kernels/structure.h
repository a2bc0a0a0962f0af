/* One pass over indices, in loops that compilers turn into vector instructions. */
#ifndef SKNORM_STRUCTURE_H
#define SKNORM_STRUCTURE_H

#include <stdint.h>

/* Return the largest of n indices, where a negative one counts as more than any other. */
#define SKNORM_LARGEST(NAME, INDEX, UNSIGNED)                                                  \
    static inline uint64_t NAME(const INDEX* x, int64_t n) {                                   \
        UNSIGNED largest = 0;                                                                  \
        int64_t k;                                                                             \
        for (k = 0; k < n; k++) {                                                              \
            UNSIGNED value = (UNSIGNED) x[k];                                                  \
            largest = value > largest ? value : largest;                                       \
        }                                                                                      \
        return (uint64_t) largest;                                                             \
    }

SKNORM_LARGEST(sknorm_largest_32, int32_t, uint32_t)
SKNORM_LARGEST(sknorm_largest_64, int64_t, uint64_t)

#endif
