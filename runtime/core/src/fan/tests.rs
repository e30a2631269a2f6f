//! Queues and policies; one dead subscriber among many.

use super::*;
use crate::carry::Kind;
use std::future::poll_fn;
use std::task::Context;
use std::thread;
use tokio::time::Instant;

const PLENTY: usize = usize::MAX;

fn block(value: u64) -> Arc<Block> {
    Block::new(&Kind::parse("Int".to_owned()), value.to_le_bytes().to_vec())
}

fn number(block: &Block) -> u64 {
    u64::from_le_bytes(block.data().try_into().expect("eight bytes"))
}

/// Publishes as a native does.
async fn publish(fan: &Arc<Fan>, value: u64) {
    let mut publishing = fan.publish(block(value));
    while !publishing.step() {}
    poll_fn(|cx| publishing.poll(cx)).await;
}

/// What is there without a wait, and the failure behind it.
fn read(subscription: &Subscription) -> (Vec<u64>, Option<String>) {
    let cx = Context::from_waker(Waker::noop());
    let mut numbers = Vec::new();
    loop {
        match subscription.poll(&cx) {
            Poll::Ready(Some(Ok(block))) => numbers.push(number(&block)),
            Poll::Ready(Some(Err(failure))) => return (numbers, Some(failure.kind.to_owned())),
            Poll::Ready(None) => return (numbers, Some("end".to_owned())),
            Poll::Pending => return (numbers, None),
        }
    }
}

// rule: topic.slow
#[tokio::test(start_paused = true)]
async fn each_policy_does_what_it_says() {
    let fan = Arc::new(Fan::default());
    let losing = fan.subscribe(Policy::DropOldest, 3, PLENTY);
    let leaving = fan.subscribe(Policy::Disconnect, 3, PLENTY);
    let waiting = fan.subscribe(Policy::Block, 3, PLENTY);
    let start = Instant::now();
    for value in 1..=3 {
        publish(&fan, value).await;
    }
    assert_eq!(start.elapsed(), Duration::ZERO);
    publish(&fan, 4).await;
    assert_eq!(start.elapsed().as_secs(), PATIENCE.as_secs(), "only for the one that asked for it");
    publish(&fan, 5).await;
    assert_eq!(start.elapsed().as_secs(), PATIENCE.as_secs(), "once");
    assert_eq!(fan.len(), 1, "two were given up");
    assert_eq!(read(&losing), (vec![3, 4, 5], None));
    assert_eq!(read(&leaving), (vec![1, 2, 3], Some("limit".to_owned())));
    assert_eq!(read(&waiting), (vec![1, 2, 3], Some("limit".to_owned())));
}

// rule: topic.block
#[tokio::test(start_paused = true)]
async fn who_publishes_waits_until_there_is_room() {
    let fan = Arc::new(Fan::default());
    let slow = fan.subscribe(Policy::Block, 1, PLENTY);
    let other = fan.subscribe(Policy::DropOldest, 10, PLENTY);
    publish(&fan, 1).await;
    let (start, again) = (Instant::now(), Arc::clone(&fan));
    let publisher = tokio::spawn(async move { publish(&again, 2).await });
    tokio::time::sleep(PATIENCE / 2).await;
    assert_eq!(read(&other).0, [1, 2], "the others have it already");
    assert!(!publisher.is_finished());
    assert_eq!(slow.take().map(|block| number(&block)), Some(1));
    publisher.await.expect("it publishes");
    assert!(start.elapsed() < PATIENCE);
    assert_eq!(read(&slow), (vec![2], None));
    // One that goes is not waited for.
    publish(&fan, 3).await;
    let again = Arc::clone(&fan);
    let publisher = tokio::spawn(async move { publish(&again, 4).await });
    tokio::task::yield_now().await;
    let start = Instant::now();
    drop(slow);
    publisher.await.expect("it publishes");
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_eq!(fan.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_queue_has_room_for_so_many_bytes() {
    let fan = Arc::new(Fan::default());
    let size = block(0).size();
    let two = fan.subscribe(Policy::DropOldest, 100, 2 * size);
    let none = fan.subscribe(Policy::DropOldest, 100, 0);
    for value in 1..=4 {
        publish(&fan, value).await;
    }
    assert_eq!(read(&two).0, [3, 4]);
    assert_eq!(read(&none).0, [4], "one alone has room always");
}

// rule: topic.dead
#[tokio::test(start_paused = true)]
async fn of_a_thousand_subscribers_one_is_dead() {
    let fan = Arc::new(Fan::default());
    let dead = [Policy::Block, Policy::DropOldest, Policy::Disconnect].map(|p| fan.subscribe(p, 2, PLENTY));
    let others: Vec<_> = (0..1000).map(|_| fan.subscribe(Policy::Block, 2, PLENTY)).collect();
    let start = Instant::now();
    for value in 0..50 {
        publish(&fan, value).await;
        for other in &others {
            assert_eq!(other.take().map(|block| number(&block)), Some(value));
        }
    }
    assert_eq!(start.elapsed().as_secs(), PATIENCE.as_secs(), "for the dead one that asked for it, once");
    drop((dead, others));
    assert_eq!(fan.len(), 0);
}

#[test]
fn subscribers_on_other_threads_get_everything_in_order() {
    const ITEMS: u64 = 2000;
    let fan = &Arc::new(Fan::default());
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let subscriptions: Vec<_> = (0..3).map(|_| fan.subscribe(Policy::Block, 4, PLENTY)).collect();
    let gone: Vec<_> = (0..3).map(|_| fan.subscribe(Policy::DropOldest, 4, PLENTY)).collect();
    thread::scope(|scope| {
        for subscription in subscriptions {
            scope.spawn(move || {
                runtime().block_on(async {
                    for value in 0..ITEMS {
                        let item = poll_fn(|cx| subscription.poll(cx)).await;
                        assert_eq!(item.and_then(Result::ok).map(|block| number(&block)), Some(value));
                    }
                });
            });
        }
        scope.spawn(move || gone.into_iter().for_each(drop));
        scope.spawn(move || {
            runtime().block_on(async {
                for value in 0..ITEMS {
                    publish(fan, value).await;
                }
            });
        });
    });
    assert_eq!(fan.len(), 0);
}

#[test]
fn an_end_is_told_behind_what_waits() {
    let fan = Arc::new(Fan::default());
    let [ended, failed] = [0, 1].map(|_| fan.subscribe(Policy::DropOldest, 4, PLENTY));
    assert_eq!(
        [ended.queue.push(&block(1), None), failed.queue.push(&block(2), None)],
        [queue::Pushed::Taken; 2]
    );
    ended.queue.end(None);
    fan.end(Some(&Failure::of_kind("io", "gone")));
    assert_eq!(read(&ended), (vec![1], Some("end".to_owned())));
    assert_eq!(read(&failed), (vec![2], Some("io".to_owned())));
    // They are no subscribers any more; who comes later is.
    assert!(fan.poll_idle(Waker::noop()).is_ready());
    let later = fan.subscribe(Policy::DropOldest, 4, PLENTY);
    drop((ended, failed));
    assert!(fan.poll_idle(Waker::noop()).is_pending());
    assert_eq!(read(&later), (vec![], None));
    drop(later);
    assert!(fan.poll_idle(Waker::noop()).is_ready());
}
