/*
 * reliable.pml - the reliable exchange of RFC 3259, section 7, as libmbus/core does it.
 *
 * One sender with two messages, one receiver, a network that loses, repeats and reorders, a receiver
 * whose event queue may be full, and a sender that may die and start again under the same address
 * (SeqNum 0 again, newer TimeStamp). Time is abstract: a timer may expire whenever it runs, which
 * covers every real timing and more.
 *
 * Checked in every reachable state:
 *   - a message reaches the event queue at most once (no double delivery);
 *   - a ticket ends exactly once, and as `delivered` only if its message reached the queue;
 *   - when nothing can happen any more every ticket of a living sender has ended (no lost ticket).
 */
#define N_R 3
#define MESSAGES 2
#define LIVES 2
#define SLOTS 4 /* datagrams on their way */

/* A datagram is (life of the sender, SeqNum); the life stands for the TimeStamp. */
chan data = [SLOTS] of { byte, byte };
chan acks = [SLOTS] of { byte, byte };

byte life = 0;              /* of the sender, counts its starts */
bool sending = true;        /* the sender has more to do */
byte queued[LIVES * MESSAGES];    /* how often a message reached the event queue */
byte ended[LIVES * MESSAGES];     /* how often a ticket ended */
bool delivered[LIVES * MESSAGES]; /* it ended as delivered */

#define ID(l, s) ((l) * MESSAGES + (s))

/* The network: a full channel is loss, and any datagram may be lost or come twice. */
inline put(c, l, s) {
        if
        :: nfull(c) -> c ! l, s
        :: true -> skip /* lost */
        :: len(c) < SLOTS - 1 -> c ! l, s; c ! l, s /* repeated */
        fi
}

inline end_ticket(l, s, ok) {
        ended[ID(l, s)]++;
        assert(ended[ID(l, s)] == 1);
        delivered[ID(l, s)] = ok;
        assert(!ok || queued[ID(l, s)] == 1)
}

active proctype Sender() {
        byte seq = 0, sent, l, s;

        do
        :: seq == MESSAGES -> break
        :: seq < MESSAGES ->
                sent = 1;
                put(data, life, seq);
                do
                :: acks ?? l, s -> /* in any order */
                        if
                        :: l == life && s == seq -> end_ticket(life, seq, true); break
                        :: else -> skip /* of the past: no ticket waits for it */
                        fi
                :: sent < N_R -> /* the timer expired: the same datagram again */
                        sent++;
                        put(data, life, seq)
                :: sent == N_R -> end_ticket(life, seq, false); break
                :: life < LIVES - 1 -> /* dies, with a ticket open, and starts again */
                        ended[ID(life, seq)] = 1; /* nobody is left to be told */
                        life++;
                        seq = 255;
                        break
                od;
                seq++
        od;
        sending = false
}

active proctype Receiver() {
        byte l, s, i;
        byte known = 0;      /* the life that the window is about */
        bool seen[MESSAGES];

end:    do
        :: data ?? l, s ->
                atomic {
                        if
                        :: l < known -> skip /* WINDOW_STALE: from before the source started again */
                        :: else ->
                                if
                                :: l > known -> /* WINDOW_RESTART */
                                        known = l;
                                        i = 0;
                                        do
                                        :: i < MESSAGES -> seen[i] = false; i++
                                        :: else -> break
                                        od
                                :: else -> skip
                                fi;
                                if
                                :: seen[s] -> put(acks, l, s) /* WINDOW_DUPLICATE: acknowledge again */
                                :: !seen[s] -> /* the event queue has room */
                                        seen[s] = true;
                                        queued[ID(l, s)]++;
                                        assert(queued[ID(l, s)] == 1);
                                        put(acks, l, s)
                                :: !seen[s] -> skip /* it has not: window_forget, no acknowledgement */
                                fi
                        fi
                }
        od
}

ltl every_ticket_ends { [] (!sending -> (ended[ID(life, 0)] == 1 && ended[ID(life, 1)] == 1)) }
