"""The pace of a provider: requests and tokens a minute, calls at once, and a pause that holds for everybody."""

import threading

import pytest

from cuelight_server.providers import CompletionRequest, Pace, Rates, Remote, openai
from server.tests.faulty import GOOD, line


class Clock:
    def __init__(self):
        self.now = 0.0

    def seconds(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


def pace(**rates):
    clock = Clock()
    return Pace(Rates(**rates), seconds=clock.seconds, sleep=clock.sleep), clock


def test_no_limit_is_no_wait():
    one, clock = pace()
    for _ in range(1000):
        one.wait(10_000)
    assert clock.now == 0


@pytest.mark.parametrize("rate", [6, 60, 600])
def test_so_many_requests_a_minute_and_not_more(rate):
    one, clock = pace(requests_a_minute=rate)
    for _ in range(rate * 3):
        one.wait(0)
    assert 60 * (3 - 0.1) - 60 / rate <= clock.now + 1e-6 <= 180


def test_tokens_are_a_limit_of_their_own_and_what_was_guessed_is_settled():
    one, clock = pace(tokens_a_minute=6000)
    for _ in range(60):
        one.wait(200)
        one.settle(200, 100)
    assert 50 <= clock.now <= 61


def test_a_request_beyond_the_whole_bucket_is_made_and_then_paid_off():
    one, clock = pace(tokens_a_minute=600)
    one.wait(5000)
    assert clock.now == pytest.approx(0)
    one.wait(1)
    assert clock.now == pytest.approx(494.1)


def test_a_pause_that_one_request_was_told_of_holds_for_every_other():
    clock = Clock()
    shared = Pace(Rates(), seconds=clock.seconds, sleep=clock.sleep)
    ask = CompletionRequest(
        content_digest="d", case="c", sample=1, messages=({"role": "user", "content": "x"},), settings={"model": "m"}
    )
    with line((429, {}, {"Retry-After": "7.5"}), (200, GOOD)) as made:
        Remote(openai.FAMILY, made.url, None, pace=shared, sleep=lambda _: None).complete(ask)
        assert clock.now == 7.5


def test_so_many_at_once_and_not_more():
    most, now, lock = [0], [0], threading.Lock()
    one = Pace(Rates(at_once=3))

    def call():
        with one.turn():
            with lock:
                now[0] += 1
                most[0] = max(most[0], now[0])
            threading.Event().wait(0.01)
            with lock:
                now[0] -= 1

    threads = [threading.Thread(target=call) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [3]
