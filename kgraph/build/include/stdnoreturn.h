/* Functions that do not return (freestanding, for parsing only). */
#ifndef KGRAPH_STDNORETURN_H
#define KGRAPH_STDNORETURN_H
#define noreturn _Noreturn
#endif
