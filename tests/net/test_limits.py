"""Who may come in, and who has to go."""

from dataclasses import dataclass, field

from appliance.net.limits import Gate, Limits


@dataclass(eq=False)
class Peer:
    peer: str
    aborted: bool = field(default=False)

    def abort(self) -> None:
        self.aborted = True


def peers(gate: Gate, address: str, count: int) -> list[Peer]:
    made = [Peer(address) for _ in range(count)]
    assert all(gate.enter(peer) for peer in made)
    return made


def test_a_flood_of_one_address_pushes_itself_out() -> None:
    gate = Gate(Limits(total=100, per_address=50, unsettled=30, unsettled_per_address=10))
    other = peers(gate, "192.0.2.1", 1)[0]
    flood = peers(gate, "198.51.100.7", 10_000)
    assert gate.count == gate.unsettled == 11
    assert [peer.aborted for peer in flood] == [True] * 9_990 + [False] * 10
    assert not other.aborted
    for peer in flood:
        gate.leave(peer)
    gate.leave(other)
    assert gate.count == gate.unsettled == 0
    assert gate.evicted == 9_990


def test_a_flood_of_many_addresses_takes_the_oldest_and_spares_the_settled() -> None:
    gate = Gate(Limits(total=20, per_address=50, unsettled=15, unsettled_per_address=10))
    user = peers(gate, "192.0.2.1", 1)[0]
    gate.settle(user)
    first = [peers(gate, f"10.0.0.{n}", 1)[0] for n in range(15)]
    peers(gate, "10.0.1.1", 1)
    assert [peer.aborted for peer in first] == [True] + [False] * 14
    assert not user.aborted


def test_an_address_with_more_than_its_share_makes_room_itself() -> None:
    gate = Gate(Limits(total=20, per_address=50, unsettled=12, unsettled_per_address=11))
    old = peers(gate, "192.0.2.1", 1)[0]
    greedy = peers(gate, "198.51.100.7", 11)
    peers(gate, "198.51.100.7", 1)
    assert not old.aborted
    assert greedy[0].aborted


def test_settled_connections_count_and_the_newcomer_is_refused() -> None:
    gate = Gate(Limits(total=3, per_address=2, unsettled=3, unsettled_per_address=3))
    for peer in peers(gate, "192.0.2.1", 2):
        gate.settle(peer)
        gate.settle(peer)
    refused = Peer("192.0.2.1")
    assert not gate.enter(refused)
    assert gate.refused == 1
    gate.leave(refused)
    gate.settle(refused)
    assert gate.count == 2
    last = peers(gate, "192.0.2.2", 1)[0]
    gate.settle(last)
    assert not gate.enter(Peer("192.0.2.3"))
    gate.leave(last)
    assert gate.enter(Peer("192.0.2.3"))
