/* Alignment (freestanding, for parsing only). */
#ifndef KGRAPH_STDALIGN_H
#define KGRAPH_STDALIGN_H
#define alignas _Alignas
#define alignof _Alignof
#endif
