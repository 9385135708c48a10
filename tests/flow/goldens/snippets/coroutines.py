async def awaited(a):
    b = await a
    return await b.c(d=await a)


async def managed(m):
    async with m as x:
        await x
    async with m:
        return x


async def looped(xs):
    async for x in xs:
        if x:
            break
    else:
        print(x)


async def produced(xs):
    async for x in xs:
        yield x
    yield [y async for y in xs], {z: await z for z in xs}
    return


async def lazily(xs):
    return (x async for x in xs if await x)
